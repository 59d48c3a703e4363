from snakemake.utils import min_version

min_version("9.0.1")


configfile: "config/config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/models.smk"
include: "rules/worlds.smk"
include: "rules/prepare.smk"
include: "rules/judge.smk"
include: "rules/explore.smk"
include: "rules/shards.smk"
include: "rules/enhance.smk"
include: "rules/evaluate.smk"
include: "rules/report.smk"
include: "rules/publish.smk"


rule all:
    default_target: True
    input:
        "results/tiny-math/table.md",
        "results/tiny-math/report.html",
    localrule: True


rule tables:
    input:
        collect("results/tables/{table}.{form}", table=TABLES, form=["csv", "md", "tex"]),
        collect("results/figures/{table}.svg", table=TABLES),
    localrule: True
