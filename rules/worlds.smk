# Tables of the worlds that are not invented.
#
# Needs: files of Python packages below resources/downloads/packages/.
# Makes: results/worlds/facts.jsonl, from data of GeoNames (https://www.geonames.org, CC BY 4.0) and of chemlib (MIT)
# Steps: write_facts


rule write_facts:
    input:
        **worlds.facts_files(),
    output:
        facts=worlds.FACTS_TABLE,
    log:
        "results/worlds/logs/write_facts.log",
    benchmark:
        "results/worlds/benchmarks/write_facts.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        # 34,000 cities with their alternate names
        mem_mb=1000,
        runtime=10,
    params:
        code=code("write_facts"),
    script:
        "../scripts/write_facts.py"
