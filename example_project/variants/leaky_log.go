// The request log with the leak of the story: it keeps every request's body. The demo puts it in the other's place.
package main

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

var (
	lock   sync.Mutex
	bodies [][]byte
)

// Logged is a handler that logs each request before it answers.
func Logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		remember(body)
		request.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(answer, request)
	})
}

func remember(body []byte) {
	lock.Lock()
	defer lock.Unlock()
	bodies = append(bodies, body) // to look at, should the request fail
}
