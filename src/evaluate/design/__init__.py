"""Stage `design`: was the assignment what the plan says it was?"""
