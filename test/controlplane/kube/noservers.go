//go:build controllersonly

package main

func serverParts() map[string]part { return map[string]part{} }
