// The request log: it reads each body through a buffer of a pool, and keeps the size of the latest hundred.
package main

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

const kept = 100 // requests

var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	lock    sync.Mutex
	sizes   []int
)

// Logged is a handler that logs each request before it answers.
func Logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		body := buffers.Get().(*bytes.Buffer)
		body.Reset()
		defer buffers.Put(body)
		if _, err := io.Copy(body, request.Body); err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		remember(body.Len())
		request.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		next.ServeHTTP(answer, request)
	})
}

func remember(size int) {
	lock.Lock()
	defer lock.Unlock()
	if len(sizes) == kept {
		copy(sizes, sizes[1:])
		sizes = sizes[:kept-1]
	}
	sizes = append(sizes, size)
}
