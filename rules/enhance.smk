# Enhancement of the target: the same number of rows from each of four sources, and one enhanced target for each source.
#
# Needs: labels, references and responses of iteration 0, the control and iterations 1 to N; results/{task}/tests/.
# Makes: results/{task}/enhanced/chosen.jsonl and answers.jsonl, if the kind's rows depend on several answers of the target;
#        results/{task}/enhanced/{source}/train.jsonl and target/, results/{task}/contamination.json
# Steps: draw_answered, write_seed_references; choose_instructions, sample_answers; select_enhancement, check_enhancement,
#        train_target


use rule draw_probe as draw_answered with:
    input:
        seeds=part_file("seeds.jsonl"),
        probe=branch(multiple_choice, then=part_file("probe/labels.jsonl")),
    output:
        drawn="results/{task}/enhanced/drawn_seeds.jsonl",
    log:
        "results/{task}/logs/enhanced/draw_answered.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/draw_answered.tsv"
    group:
        "{task}.prompts"
    params:
        purpose="enhancement",
        most=setting("enhancement.answered_seeds"),
        random_seed=setting("random_seed"),
        code=code("draw_probe"),


use rule write_references as write_seed_references with:
    input:
        questions="results/{task}/enhanced/drawn_seeds.jsonl",
        folder=asked_folder("teacher"),
        world=world_tables,
    output:
        references="results/{task}/enhanced/seed_references{shard}.jsonl",
    log:
        "results/{task}/logs/enhanced/write_seed_references{shard}.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/write_seed_references{shard}.tsv"
    params:
        record="seeds",
        gpus=job_gpus("teacher"),
        stage=stage("generate", "write_references"),
        kind=kind_use,
        teacher=setting("teacher"),
        model=model_use("teacher"),
        endpoint_limits=endpoint_limits("teacher"),
        settings=whole_setting("references"),
        decides=setting("references"),
        checker_timeout=setting("checker_timeout"),
        random_seed=setting("random_seed"),
        arm="seeds",
        shard=shard_of,
        code=code("write_references"),


rule choose_instructions:
    input:
        instructions=of_warmup_and_trained("instructions.jsonl"),
        labels=of_warmup_and_trained("labels.jsonl"),
        references=of_warmup_and_trained("references.jsonl"),
        responses=of_warmup("responses.jsonl"),
        reference_judgements=judged_references,
        seeds=part_file("seeds.jsonl"),
        drawn_seeds="results/{task}/enhanced/drawn_seeds.jsonl",
        seed_references="results/{task}/enhanced/seed_references.jsonl",
        seed_judgements=panel_files("enhanced/seed_judgements/JUDGE.jsonl"),
        probe=branch(multiple_choice, then=part_file("probe/labels.jsonl")),
        tests=test_questions,
        world=world_tables,
    output:
        chosen="results/{task}/enhanced/chosen.jsonl",
    log:
        "results/{task}/logs/enhanced/choose_instructions.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/choose_instructions.tsv"
    group:
        "{task}.chosen"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        kind=kind_use,
        settings=setting("enhancement"),
        decision=judge_decision,
        system=setting("responses.system"),
        random_seed=setting("random_seed"),
        code=code("choose_instructions"),
    script:
        "../scripts/choose_instructions.py"


use rule answer_instructions as sample_answers with:
    input:
        questions="results/{task}/enhanced/chosen.jsonl",
        target=asked_folder("target", trainable_target),
        world=world_tables,
    output:
        responses="results/{task}/enhanced/answers{shard}.jsonl",
    log:
        "results/{task}/logs/enhanced/sample_answers{shard}.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/sample_answers{shard}.tsv"
    params:
        record="chosen",
        gpus=job_gpus("target"),
        stage=stage("generate", "answer_questions"),
        kind=kind_use,
        model=model_use("target"),
        endpoint_limits=endpoint_limits("target"),
        settings=whole_setting("responses"),
        decides=setting("responses"),
        random_seed=setting("random_seed"),
        arm="enhanced",
        shard=shard_of,
        code=code("answer_questions"),


rule select_enhancement:
    input:
        instructions=of_warmup_and_trained("instructions.jsonl"),
        labels=of_warmup_and_trained("labels.jsonl"),
        references=of_warmup_and_trained("references.jsonl"),
        responses=of_warmup("responses.jsonl"),
        reference_judgements=judged_references,
        seeds=part_file("seeds.jsonl"),
        drawn_seeds="results/{task}/enhanced/drawn_seeds.jsonl",
        seed_references="results/{task}/enhanced/seed_references.jsonl",
        seed_judgements=panel_files("enhanced/seed_judgements/JUDGE.jsonl"),
        probe=branch(multiple_choice, then=part_file("probe/labels.jsonl")),
        answers=branch(sampled, then="results/{task}/enhanced/answers.jsonl"),
        tests=test_questions,
        world=world_tables,
    output:
        reversegen="results/{task}/enhanced/reversegen/train.jsonl",
        warmup="results/{task}/enhanced/warmup/train.jsonl",
        warmup_failures="results/{task}/enhanced/warmup_failures/train.jsonl",
        seed_rows="results/{task}/enhanced/seeds/train.jsonl",
        selection="results/{task}/enhanced/selection.json",
    log:
        "results/{task}/logs/enhanced/select_enhancement.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/select_enhancement.tsv"
    group:
        "{task}.enhanced"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        kind=kind_use,
        settings=setting("enhancement"),
        decision=judge_decision,
        system=setting("responses.system"),
        random_seed=setting("random_seed"),
        code=code("select_enhancement"),
    script:
        "../scripts/select_enhancement.py"


use rule check_contamination as check_enhancement with:
    input:
        rows=collect("results/{{task}}/enhanced/{source}/train.jsonl", source=SOURCES),
        pairs=[],
        tests=test_questions,
        seeds=part_file("seeds.jsonl"),
        embeddings=embedding_files(
            of_warmup_and_trained("embeddings.npy"), part_file("seeds.embeddings.npy"), test_embeddings
        ),
        evaluation=[],
        gap=ancient(checked_gap("last")),
        world=world_tables,
    output:
        contamination=report(
            "results/{task}/contamination.json",
            caption="captions/contamination.rst",
            category="{task}",
            labels={"result": "contamination gate", "form": "JSON"},
        ),
    log:
        "results/{task}/logs/contamination/enhanced.log",
    benchmark:
        "results/{task}/benchmarks/contamination/enhanced.tsv"
    group:
        "{task}.enhanced"


rule train_target:
    input:
        rows="results/{task}/enhanced/{source}/train.jsonl",
        contamination=ancient("results/{task}/contamination.json"),
        base=asked_folder("target", trainable_target),
    output:
        target=directory("results/{task}/enhanced/{source}/target"),
    log:
        "results/{task}/logs/enhanced/{source}/train_target.log",
    benchmark:
        "results/{task}/benchmarks/enhanced/{source}/train_target.tsv"
    conda:
        "../envs/train.yaml"
    threads: amount("threads", "target", "enhancement")
    resources:
        mem_mb=amount("mem_mb", "target", "enhancement"),
        runtime=amount("runtime", "target"),
        gpu=amount("gpu", "target", "enhancement"),
        gres=amount("gres", "target", "enhancement"),
    params:
        gpus=job_gpus("target", "enhancement"),
        stage=training_stage("train_target", "enhancement"),
        model=trained_model("target"),
        settings=setting("enhancement"),
        random_seed=setting("random_seed"),
        tracking=tracking,
        code=code("train_target"),
    shell:
        "{params.stage} --rows {input.rows:q} --base {input.base:q} --target {output.target:q} --model {params.model:q}"
        " --settings {params.settings:q} --random-seed {params.random_seed} --tracking {params.tracking:q}"
        " --threads {threads} --gpus {params.gpus} --log {log:q}"
