// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// interval is the pause between two looks at something that is awaited.
const interval = 50 * time.Millisecond

// pause waits for one interval, or returns why there is no time left.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(interval):
		return nil
	}
}

// describe is one line about pods, for messages.
func describe(pods []corev1.Pod) string {
	lines := make([]string, len(pods))
	for i, p := range pods {
		lines[i] = fmt.Sprintf("%s %s ready=%t", p.Name, p.Status.Phase, isReady(&p))
		for _, c := range p.Status.ContainerStatuses {
			if c.State.Waiting != nil {
				lines[i] += " " + c.State.Waiting.Reason + ": " + c.State.Waiting.Message
			}
		}
	}
	return fmt.Sprintf("%d pods (%s)", len(pods), strings.Join(lines, "; "))
}
