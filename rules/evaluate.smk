# Measurement: proposers on the held-out prompts, targets on their test sets.
#
# Needs: the labels of an iteration; the test sets and a version of the target: `target` or `enhanced/{source}`.
# Makes: results/{task}/iter{k}/eval.json; results/{task}/{version}/ with responses.jsonl, labels.jsonl and eval.json
# Steps: evaluate_proposer; answer_tests, label_tests, evaluate_target


rule evaluate_proposer:
    input:
        samples="results/{task}/iter{iteration}/samples.jsonl",
        instructions="results/{task}/iter{iteration}/instructions.jsonl",
        labels="results/{task}/iter{iteration}/labels.jsonl",
        seeds=rules.clean_seeds.output.seeds,
        earlier=before_now("instructions.jsonl"),
        pairs=training_pairs,
        proposer="results/{task}/iter{iteration}/proposer",
        target=model_folder("target"),
    output:
        eval_json="results/{task}/iter{iteration}/eval.json",
    log:
        "results/{task}/logs/iter{iteration}/evaluate_proposer.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/evaluate_proposer.tsv"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=setting("kind"),
        settings=setting("evaluation"),
        configuration=configuration_hash,
        random_seed=setting("random_seed"),
        code=code_hash("evaluate_proposer"),
    script:
        "../scripts/evaluate_proposer.py"


rule answer_tests:
    input:
        tests=test_questions,
        target=version_folder,
    output:
        responses="results/{task}/{version}/responses.jsonl",
    log:
        "results/{task}/logs/{version}/answer_tests.log",
    benchmark:
        "results/{task}/benchmarks/{version}/answer_tests.tsv"
    conda:
        "../envs/generate.yaml"
    threads: asks("threads", "target")
    resources:
        mem_mb=asks("mem_mb", "target"),
        runtime=asks("runtime", "target"),
        gpu=asks("gpu", "target"),
    params:
        stage=stage("generate", "answer_tests"),
        kind=setting("kind"),
        model=model_use("target"),
        settings=setting("responses"),
        code=code_hash("answer_tests"),
    shell:
        "{params.stage} --tests {input.tests:q} --target {input.target:q} --responses {output.responses:q}"
        " --kind {params.kind} --model {params.model:q} --settings {params.settings:q}"
        " --threads {threads} --log {log:q}"


rule label_tests:
    input:
        tests=test_questions,
        responses=rules.answer_tests.output.responses,
    output:
        labels="results/{task}/{version}/labels.jsonl",
    log:
        "results/{task}/logs/{version}/label_tests.log",
    benchmark:
        "results/{task}/benchmarks/{version}/label_tests.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        kind=setting("kind"),
        checker_timeout=setting("checker_timeout"),
        code=code_hash("label_tests"),
    script:
        "../scripts/label_tests.py"


rule evaluate_target:
    input:
        tests=test_questions,
        labels=rules.label_tests.output.labels,
        target=version_folder,
        selection=version_selection,
    output:
        eval_json="results/{task}/{version}/eval.json",
    log:
        "results/{task}/logs/{version}/evaluate_target.log",
    benchmark:
        "results/{task}/benchmarks/{version}/evaluate_target.tsv"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=setting("kind"),
        source=version_source,
        measures=test_measures,
        settings=setting("evaluation"),
        configuration=configuration_hash,
        random_seed=setting("random_seed"),
        code=code_hash("evaluate_target"),
    script:
        "../scripts/evaluate_target.py"
