"""The core: what a complaint is, what may be done with it, and by when.

A *customer* writes in a *conversation*; the first complaining message opens a *case*, which has a *complaint type*, a
state of its policy's lifecycle, *clocks* with *deadlines*, and perhaps an *agent* who owns it. The *policy* is the
company's rule book. Whatever happens is an event in the case's *journal*; whatever must be said is a *notice*.

No input or output here, and no clock: moments are arguments.
"""
