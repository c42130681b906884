// SPDX-License-Identifier: Apache-2.0

package nft

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// headerSize of a netlink message, and of nfnetlink's own part after it.
	headerSize   = unix.NLMSG_HDRLEN
	nfHeaderSize = 4
	// getGeneration asks nf_tables for the number of its last commit.
	getGeneration = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETGEN
	newGeneration = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWGEN
	// generationAttr is NFTA_GEN_ID of linux/netfilter/nf_tables.h.
	generationAttr = 1
	// answerLimit: the kernel answers within the call; this is for one that
	// does not.
	answerLimit = time.Second
)

// generation is the number that the kernel counts up whenever somebody changes
// the ruleset of the calling thread's network namespace. It is never zero.
func generation() (uint32, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, fmt.Errorf("open netfilter: %w", err)
	}
	defer unix.Close(fd)
	limit := unix.NsecToTimeval(answerLimit.Nanoseconds())
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	if err == nil {
		err = unix.Sendto(fd, generationRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	if err != nil {
		return 0, fmt.Errorf("ask for the ruleset's generation: %w", err)
	}
	answer := make([]byte, unix.Getpagesize())
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, fmt.Errorf("ask for the ruleset's generation: %w", err)
	}
	return parseGeneration(answer[:n])
}

func generationRequest() []byte {
	msg := make([]byte, headerSize+nfHeaderSize)
	binary.NativeEndian.PutUint32(msg[0:], uint32(len(msg)))
	binary.NativeEndian.PutUint16(msg[4:], getGeneration)
	binary.NativeEndian.PutUint16(msg[6:], unix.NLM_F_REQUEST)
	return msg
}

// parseGeneration finds the number in the kernel's answer.
func parseGeneration(msg []byte) (uint32, error) {
	bad := fmt.Errorf("ask for the ruleset's generation: the kernel's answer of %d bytes is not understood", len(msg))
	if len(msg) < headerSize+nfHeaderSize || binary.NativeEndian.Uint16(msg[4:]) != newGeneration {
		return 0, bad
	}
	for rest := msg[headerSize+nfHeaderSize:]; len(rest) >= unix.SizeofRtAttr; {
		size, kind := int(binary.NativeEndian.Uint16(rest)), binary.NativeEndian.Uint16(rest[2:])
		if size < unix.SizeofRtAttr || size > len(rest) {
			return 0, bad
		}
		if kind == generationAttr && size == unix.SizeofRtAttr+4 {
			return binary.BigEndian.Uint32(rest[unix.SizeofRtAttr:]), nil
		}
		rest = rest[min(len(rest), (size+3)&^3):]
	}
	return 0, bad
}
