"""What was really spent: reading bills and usage exports, whose spend it is, and the plan held against it.

`columns` says which column of which format means what, `reading` turns a sheet into lines, `attribution` finds the use
case of a line, `spent` sums what counts, `plans` says what was planned, `variance` why they differ.
"""
