"""Columns of a table as numpy arrays, each with a value that stands for NULL.

A column has one value per row:

================================  ======================================  ==============================
kind of value                     held as                                 NULL
================================  ======================================  ==============================
whole number                      int64                                   ``NULL`` (the lowest int64)
truth value                       bool                                    none
moment in UTC                     datetime64[us]                          ``NaT``
UUID                              V16                                     the nil UUID
text or UUID that rows share      ``Categorical`` of Python values        code -1
free text that most rows lack     ``Categorical`` of UTF-8 bytes          code -1
free text                         S, UTF-8 bytes                          empty
anything else                     object                                  ``None``
================================  ======================================  ==============================

`FREE_TEXTS` names the columns of free text. Draw functions see all free text as plain bytes.
"""
