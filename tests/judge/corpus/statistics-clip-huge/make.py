from judge_corpus_agents import statistics


def make(folder):
    statistics(folder, clip_obs=1e301)
