package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	t := time.Now()
	n, err := writeCrops(os.Args[1]+"/train.bin", trainPlan)
	fmt.Println(n, err, time.Since(t))
	n, err = writeCrops(os.Args[1]+"/test.bin", testPlan)
	fmt.Println(n, err, time.Since(t))
}
