"""The actions of operators, one function each, which keys, commands and the shell all call."""
