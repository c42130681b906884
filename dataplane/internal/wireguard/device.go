// SPDX-License-Identifier: Apache-2.0

package wireguard

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.zx2c4.com/wireguard/conn"
	wgdevice "golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/ipc"
	"golang.zx2c4.com/wireguard/tun"
)

// RunDevice is the device process: it makes the interface, lets made mark it,
// and runs WireGuard on it until the interface is removed or the context ends.
// Only then is the interface gone too. Messages without secrets go to log, which
// is emptied when it gets long.
//
// A second process for the same interface fails, because the kernel gives a TUN
// interface to one process only.
func RunDevice(ctx context.Context, name string, made func() error, log *os.File) error {
	t, err := tun.CreateTUN(name, wgdevice.DefaultMTU)
	if err != nil {
		return fmt.Errorf("make interface %s: %w", name, err)
	}
	if err := made(); err != nil {
		t.Close()
		return err
	}
	dev := wgdevice.NewDevice(t, conn.NewDefaultBind(), &wgdevice.Logger{
		Verbosef: wgdevice.DiscardLogf,
		Errorf:   (&boundedLog{file: log}).printf,
	})
	defer dev.Close()
	file, err := ipc.UAPIOpen(name)
	if err != nil {
		return fmt.Errorf("open the control socket of %s: %w", name, err)
	}
	control, err := ipc.UAPIListen(name, file)
	if err != nil {
		return fmt.Errorf("listen on the control socket of %s: %w", name, err)
	}
	defer control.Close()
	lost := make(chan error, 1)
	go serve(control, dev, lost)
	select {
	case <-ctx.Done():
		return nil
	case <-dev.Wait():
		return nil
	case err := <-lost:
		return fmt.Errorf("the control socket of %s: %w", name, err)
	}
}

// serve answers the control socket until it is lost, as when somebody removes
// its file: nobody could configure the interface then, so the process ends and
// the agent starts another.
func serve(control net.Listener, dev *wgdevice.Device, lost chan<- error) {
	for {
		c, err := control.Accept()
		if err != nil {
			lost <- err
			return
		}
		go dev.IpcHandle(c)
	}
}

// boundedLog writes to a file that is opened for appending, and empties it when
// more than maxLog bytes were written: a peer that is away is a message every
// few seconds, for ever.
type boundedLog struct {
	mu      sync.Mutex
	file    *os.File
	written int
}

func (l *boundedLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written > maxLog {
		_ = l.file.Truncate(0) // not possible where the log is no file; then it is no file that grows
		l.written = 0
	}
	n, _ := fmt.Fprintf(l.file, format+"\n", args...) // there is nobody to tell
	l.written += n
}
