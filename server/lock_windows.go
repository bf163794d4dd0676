package server

import (
	"os"
	"syscall"
)

// lockExclusively opens a file so that nobody else can until it is closed.
func lockExclusively(name string) (*os.File, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), name), nil
}

func unlock(f *os.File) error { return f.Close() }

// syncDir does nothing: Windows has no such call, and orders renames itself.
func syncDir(string) error { return nil }
