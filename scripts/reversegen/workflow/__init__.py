"""Input files, params and resources of the rules, as functions of the configuration: one module for each rule file.

The first parameter of every function is the loaded configuration, which rules/common.smk binds. A function whose next
parameter is the wildcards is an input or param function of a rule. A function whose next parameters are names returns such a
function.
"""
