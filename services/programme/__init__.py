"""The retrofit programme: subsidy rules as dated data with reasons, and the plan's targets by district and year.

Promises: a verdict is yes, no or not yet known, and what is not known never counts as yes; every condition is shown
with its clause, the firm's value and the needed value; a calculation is repeatable for its date and names its rules.
"""
