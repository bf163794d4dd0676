package repo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/infrahq/infra/repo"
	"github.com/infrahq/infra/repo/gittest"
)

func TestFollowSeesAFolderChangeWithoutPolling(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(nil)
	ctx, cancel := context.WithCancel(t.Context())
	tips, done := make(chan string), make(chan error)
	go func() {
		done <- open(t, r.Dir, repo.Options{}).Follow(ctx, repo.FollowOptions{Branch: "main", Every: time.Hour},
			func(ctx context.Context, tip string, err error) {
				select {
				case tips <- tip:
				case <-ctx.Done():
				}
			})
	}()
	wait := func(want string) {
		for got := range tips {
			if got == want {
				return
			}
		}
	}
	wait(first)
	wait(r.Commit(nil))
	r.Git("pack-refs", "--all")
	wait(r.Commit(nil))
	r.Rewrite(first)
	wait(first)
	r.Git("branch", "-m", "main", "other")
	wait("") // an error is delivered and does not end it
	r.Git("branch", "-m", "other", "main")
	wait(first)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow ended with %v", err)
	}
}

func TestFollowPollsAHostAtATrigger(t *testing.T) {
	t.Parallel()
	r := gittest.New(t)
	first := r.Commit(nil)
	s := open(t, gittest.Serve(t, r, gittest.HostOptions{}).URL, repo.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	tips, done, trigger := make(chan string), make(chan error), make(chan struct{})
	go func() {
		done <- s.Follow(ctx, repo.FollowOptions{Branch: "main", Every: time.Hour, Trigger: trigger},
			func(_ context.Context, tip string, err error) { tips <- tip })
	}()
	if got := <-tips; got != first {
		t.Errorf("first call: %s", got)
	}
	second := r.Commit(nil)
	trigger <- struct{}{}
	if got := <-tips; got != second {
		t.Errorf("after the trigger: %s, want %s", got, second)
	}
	cancel()
	<-done
}
