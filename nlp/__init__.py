"""READING: what a text says. `KeywordReader` in `nlp.reader` is the way in; the words it knows are in `nlp/lexicon`.

Importing this package costs nothing: a reader is built once at start, and jieba only loads where keywords are learned.
"""
