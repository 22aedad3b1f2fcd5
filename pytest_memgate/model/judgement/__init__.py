"""What a judgement is made of: a budget, what it is held against, the finding, its reasons and remarks."""
