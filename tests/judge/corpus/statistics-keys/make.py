from judge_corpus_agents import statistics


def make(folder):
    statistics(folder, norm_obs_keys=["a\n" * 900], mean={"a\n" * 900: [0.0] * 4}, var={"a\n" * 900: [1.0] * 4})
