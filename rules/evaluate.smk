# Measurement: proposers on the held-out prompts, targets on their test sets, other models on instructions that a target failed.
#
# Needs: the labels of an iteration; the test sets and a variant of the target: `original` or `enhanced/{source}`.
# Makes: results/{task}/system_texts.json; results/{task}/iter{k}/ with audit.csv and eval.json, untrained/ with eval.json;
#        results/{task}/{variant}/ and transfer/{model}/ with responses.jsonl, labels.jsonl and eval.json
# Steps: write_system_texts, write_audit, evaluate_proposer; answer_tests, sample_tests, count_answers, measure_confidence,
#        label_tests, evaluate_target; select_failures, answer_transfer, label_transfer, evaluate_transfer


rule write_system_texts:
    input:
        target=role_folder("target"),
        teacher=iterated_teacher,
        judge=judge_folders,
    output:
        system_texts="results/{task}/system_texts.json",
    log:
        "results/{task}/logs/write_system_texts.log",
    benchmark:
        "results/{task}/benchmarks/write_system_texts.tsv"
    conda:
        "../envs/generate.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        stage=stage("generate", "write_system_texts"),
        models=readers,
        code=code("write_system_texts"),
    shell:
        "{params.stage} --models {params.models:q} --system-texts {output.system_texts:q} --log {log:q}"


rule write_audit:
    input:
        instructions=part_file("iter{iteration}/instructions.jsonl"),
        labels=part_file("iter{iteration}/labels.jsonl"),
        responses=part_file("iter{iteration}/responses.jsonl"),
        references=branch(referenced, then=part_file("iter{iteration}/references.jsonl")),
        judgements=panel_files("iter{iteration}/judgements/JUDGE.jsonl"),
        holdout=holdout_files("iter{iteration}/judgements/JUDGE.jsonl"),
    output:
        audit=update("results/{task}/iter{iteration}/audit.csv"),
    log:
        "results/{task}/logs/iter{iteration}/write_audit.log",
    benchmark:
        "results/{task}/benchmarks/iter{iteration}/write_audit.tsv"
    group:
        "{task}.iter{iteration}"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        random_seed=setting("random_seed"),
        code=code("write_audit"),
    script:
        "../scripts/write_audit.py"


rule evaluate_proposer:
    input:
        samples=part_file("{arm}/samples.jsonl"),
        instructions=part_file("{arm}/instructions.jsonl"),
        labels=part_file("{arm}/labels.jsonl"),
        judgements=panel_files("{arm}/judgements/JUDGE.jsonl"),
        holdout=holdout_files("{arm}/judgements/JUDGE.jsonl"),
        judge=part_file("judge.json"),
        first=first_evaluation,
        audit=branch(iterated, then=audit_file),
        seeds=part_file("seeds.jsonl"),
        earlier=before_now("instructions.jsonl"),
        embeddings=embedding_files(part_file("{arm}/embeddings.npy")),
        seed_embeddings=embedding_files(part_file("seeds.embeddings.npy")),
        earlier_embeddings=embedding_files(before_now("embeddings.npy")),
        pairs=training_pairs,
        pruned=pruned_before,
        proposer=arm_proposer,
        target=role_folder("target"),
        system_texts="results/{task}/system_texts.json",
        world=world_tables,
    output:
        eval_json="results/{task}/{arm}/eval.json",
    log:
        "results/{task}/logs/{arm}/evaluate_proposer.log",
    benchmark:
        "results/{task}/benchmarks/{arm}/evaluate_proposer.tsv"
    wildcard_constraints:
        arm=r"iter(0|[1-9][0-9]*)|untrained",
    group:
        "{task}.{arm}"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=kind_use,
        settings=setting("evaluation"),
        embedding=embedding_settings,
        alarm=setting("alarm"),
        configuration=configuration_hash,
        random_seed=setting("random_seed"),
        code=code("evaluate_proposer"),
    script:
        "../scripts/evaluate_proposer.py"


rule answer_tests:
    input:
        questions=test_questions,
        target=asked_folder("target", variant_folder),
        world=world_tables,
    output:
        responses="results/{task}/{variant}/responses{shard}.jsonl",
    log:
        "results/{task}/logs/{variant}/answer_tests{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/answer_tests{shard}.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "target")
    resources:
        mem_mb=amount("mem_mb", "target"),
        runtime=amount("runtime", "target"),
        gpu=amount("gpu", "target"),
        gres=amount("gres", "target"),
    params:
        record="tests",
        gpus=job_gpus("target"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("target"),
        endpoint_limits=endpoint_limits("target"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        shard=shard_of,
        code=code("answer_questions"),
    shell:
        "{params.stage} --questions {input.questions:q} --record {params.record} --target {input.target:q} --responses {output.responses:q}"
        " --kind {params.kind:q} --model {params.model:q} --settings {params.settings:q} --arm null --random-seed {params.random_seed}"
        " --endpoint-limits {params.endpoint_limits:q} --shard {params.shard} --threads {threads} --gpus {params.gpus} --log {log:q}"


use rule answer_instructions as sample_tests with:
    input:
        questions=test_questions,
        target=asked_folder("target", variant_folder),
        world=world_tables,
    output:
        responses="results/{task}/{variant}/answers{shard}.jsonl",
    log:
        "results/{task}/logs/{variant}/sample_tests{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/sample_tests{shard}.tsv"
    params:
        record="tests",
        gpus=job_gpus("target"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("target"),
        endpoint_limits=endpoint_limits("target"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        arm="{variant}",
        shard=shard_of,
        code=code("answer_questions"),


rule count_answers:
    input:
        tests=test_questions,
        answers="results/{task}/{variant}/answers.jsonl",
        world=world_tables,
    output:
        frequencies="results/{task}/{variant}/frequencies.jsonl",
    log:
        "results/{task}/logs/{variant}/count_answers.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/count_answers.tsv"
    group:
        "{task}.{variant}"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        kind=kind_use,
        code=code("count_answers"),
    script:
        "../scripts/count_answers.py"


rule measure_confidence:
    input:
        tests=test_questions,
        target=asked_folder("target", variant_folder),
        responses="results/{task}/{variant}/responses.jsonl",
        world=world_tables,
    output:
        confidences="results/{task}/{variant}/confidences.jsonl",
    log:
        "results/{task}/logs/{variant}/measure_confidence.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/measure_confidence.tsv"
    conda:
        "../envs/generate.yaml"
    threads: amount("threads", "target")
    resources:
        mem_mb=amount("mem_mb", "target"),
        runtime=amount("runtime", "target"),
        gpu=amount("gpu", "target"),
        gres=amount("gres", "target"),
    params:
        gpus=job_gpus("target"),
        stage=stage("generate", "measure_confidence"),
        kind=kind_use,
        model=model_use("target"),
        settings=setting("responses"),
        code=code("measure_confidence"),
    shell:
        "{params.stage} --tests {input.tests:q} --target {input.target:q} --responses {input.responses:q}"
        " --confidences {output.confidences:q} --kind {params.kind:q} --model {params.model:q}"
        " --settings {params.settings:q} --threads {threads} --gpus {params.gpus} --log {log:q}"


rule label_tests:
    input:
        questions=test_questions,
        responses="results/{task}/{variant}/responses.jsonl",
        references=[],
        judgements=panel_files("{variant}/judgements/JUDGE.jsonl"),
        world=world_tables,
    output:
        labels="results/{task}/{variant}/labels{shard}.jsonl",
    log:
        "results/{task}/logs/{variant}/label_tests{shard}.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/label_tests{shard}.tsv"
    group:
        with_next("{task}.{variant}")
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        record="tests",
        kind=kind_use,
        decision=judge_decision,
        checker_timeout=setting("checker_timeout"),
        shard=shard_of,
        code=code("label_answers"),
    script:
        "../scripts/label_answers.py"


rule evaluate_target:
    input:
        tests=test_questions,
        labels="results/{task}/{variant}/labels.jsonl",
        confidences=branch(multiple_choice, then=part_file("{variant}/confidences.jsonl")),
        frequencies=branch(repeated, then=part_file("{variant}/frequencies.jsonl")),
        original=original_labels,
        judgements=panel_files("{variant}/judgements/JUDGE.jsonl"),
        holdout=holdout_files("{variant}/judgements/JUDGE.jsonl"),
        judge=part_file("judge.json"),
        target=variant_folder,
        selection=variant_selection,
        system_texts="results/{task}/system_texts.json",
        world=world_tables,
    output:
        eval_json="results/{task}/{variant}/eval.json",
    log:
        "results/{task}/logs/{variant}/evaluate_target.log",
    benchmark:
        "results/{task}/benchmarks/{variant}/evaluate_target.tsv"
    group:
        "{task}.{variant}"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=kind_use,
        variant="{variant}",
        settings=setting("evaluation"),
        configuration=configuration_hash,
        random_seed=setting("random_seed"),
        code=code("evaluate_target"),
    script:
        "../scripts/evaluate_target.py"


rule select_failures:
    input:
        found=last_iteration("instructions.jsonl"),
        labels=last_iteration("labels.jsonl"),
    output:
        instructions="results/{task}/transfer/instructions.jsonl",
    log:
        "results/{task}/logs/transfer/select_failures.log",
    benchmark:
        "results/{task}/benchmarks/transfer/select_failures.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("select_failures"),
    script:
        "../scripts/select_failures.py"


use rule answer_instructions as answer_transfer with:
    input:
        questions=rules.select_failures.output.instructions,
        target=asked_folder("transfer"),
        world=world_tables,
    output:
        responses="results/{task}/transfer/{model}/responses{shard}.jsonl",
    log:
        "results/{task}/logs/transfer/{model}/answer_transfer{shard}.log",
    benchmark:
        "results/{task}/benchmarks/transfer/{model}/answer_transfer{shard}.tsv"
    threads: amount("threads", "transfer")
    resources:
        mem_mb=amount("mem_mb", "transfer"),
        runtime=amount("runtime", "transfer"),
        gpu=amount("gpu", "transfer"),
        gres=amount("gres", "transfer"),
    params:
        record="instructions",
        gpus=job_gpus("transfer"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("transfer"),
        endpoint_limits=endpoint_limits("transfer"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        arm="transfer",
        shard=shard_of,
        code=code("answer_questions"),


use rule label_responses as label_transfer with:
    input:
        questions=rules.select_failures.output.instructions,
        responses="results/{task}/transfer/{model}/responses.jsonl",
        references=branch(referenced, then=last_iteration("references.jsonl")),
        judgements=panel_files("transfer/{model}/judgements/JUDGE.jsonl"),
        checked=ancient(part_file("judge.json")),
        world=world_tables,
    output:
        labels="results/{task}/transfer/{model}/labels{shard}.jsonl",
    log:
        "results/{task}/logs/transfer/{model}/label_transfer{shard}.log",
    benchmark:
        "results/{task}/benchmarks/transfer/{model}/label_transfer{shard}.tsv"
    group:
        with_next("{task}.transfer/{model}")


rule evaluate_transfer:
    input:
        instructions=rules.select_failures.output.instructions,
        labels="results/{task}/transfer/{model}/labels.jsonl",
        judgements=panel_files("transfer/{model}/judgements/JUDGE.jsonl"),
        holdout=holdout_files("transfer/{model}/judgements/JUDGE.jsonl"),
        target=role_folder("transfer"),
        world=world_tables,
    output:
        eval_json="results/{task}/transfer/{model}/eval.json",
    log:
        "results/{task}/logs/transfer/{model}/evaluate_transfer.log",
    benchmark:
        "results/{task}/benchmarks/transfer/{model}/evaluate_transfer.tsv"
    group:
        "{task}.transfer/{model}"
    conda:
        "../envs/text.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        kind=kind_use,
        settings=setting("evaluation"),
        configuration=configuration_hash,
        random_seed=setting("random_seed"),
        code=code("evaluate_transfer"),
    script:
        "../scripts/evaluate_transfer.py"
