"""What `evalstore demo` runs: a small evaluation set, three programs that try to solve it, and a week of jobs.

Nothing here is needed to use a store. It exists so that a newcomer sees real results, with real errors, gaps and
regressions in them, before having any of their own.
"""
