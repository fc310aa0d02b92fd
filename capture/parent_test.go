package capture

func parentMain() int { return 0 }
