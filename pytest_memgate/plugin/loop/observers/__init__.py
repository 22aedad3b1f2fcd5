"""What is read off the runs of a test: a module a kind of number, all behind one face.

Here lives what is watched around a run and what is found of it. Which of them there are, and in which order they speak,
stands in `judging`, a line each; what an observer may ask for more runs of the test is the loop's.
"""
