"""The charter: who the members are, what their keys may say, how many make a quorum. Facts, no policy engine."""
