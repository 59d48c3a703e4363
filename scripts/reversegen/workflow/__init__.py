"""What the rules decide, one module a rule file: input files, params and resources as functions of the configuration.

Every function takes the loaded configuration first, and rules/common.smk binds it. What then takes wildcards is an input or
param function of a rule; what takes names returns one.
"""
