"""Lets the RL Zoo find our environments: it imports a module of this name where there is one."""

import gymnasium as gym

import snowball_fight

gym.register_envs(snowball_fight)
