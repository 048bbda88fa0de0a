"""What companies have decided: policy files, calendars, and wording, and what reads and checks them.

Data first: a company is one file in `companies/`, a year's holidays one in `calendars/`, a language one in `wording/`.
"""
