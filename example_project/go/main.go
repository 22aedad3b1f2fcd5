// The shop's delivery desk: it takes deliveries as CSV, and logs each request.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	_ "net/http/pprof" // /debug/pprof/heap tells what is held
	"os"
	"strconv"
	"strings"
	"sync"
)

// Stock is what is there of each article.
type Stock struct {
	lock   sync.Mutex
	pieces map[string]int
}

// Take adds the lines `article,quantity` of a delivery, and returns how many pieces came.
func (stock *Stock) Take(delivery io.Reader) (int, error) {
	stock.lock.Lock()
	defer stock.lock.Unlock()
	came := 0
	lines := bufio.NewScanner(delivery)
	for lines.Scan() {
		article, quantity, _ := strings.Cut(lines.Text(), ",")
		pieces, err := strconv.Atoi(quantity)
		if err != nil {
			return came, fmt.Errorf("a delivery has lines of article,quantity: %w", err)
		}
		stock.pieces[article] += pieces
		came += pieces
	}
	return came, lines.Err()
}

func main() {
	stock := &Stock{pieces: map[string]int{}}
	http.Handle("/deliveries", Logged(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		pieces, err := stock.Take(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(answer, "{\"pieces\": %d}\n", pieces)
	})))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
