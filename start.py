# %% [markdown]
# # Neural Networks: Zero to Hero
#
# Eight lectures by Andrej Karpathy, from one derivative to a GPT and its tokenizer.
# Each has two notebooks here: a **lecture** that you read and run, and **exercises**
# that you fill in and that tell you at once what is right, what is not yet, and why.
# What you have finished becomes a library of your own, in `code/`.

# %%
from workbook import front

front.show_overview()

# %% [markdown]
# ## Tracker
#
# An item made of exercises ticks itself when they pass. The others are yours to tick.

# %%
front.show_tracker()

# %% [markdown]
# ## The path

# %%
front.show_path()

# %% [markdown]
# ## How to work

# %%
front.show_tips()

# %% [markdown]
# ## Beside the course

# %%
front.show_links()
