"""From what is seen back to where it comes from: supply and budgets of the sources."""
