// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Io;

/// <summary>Input: one multishot receive for messages, or readiness and direct reads for streams.</summary>
internal sealed unsafe partial class UringChannel
{
    private const int ReadsPerTurn = 4;

    /// <summary>Turns in a row with less than one receive buffer's worth, after which a stream counts as messages again.</summary>
    private const int SmallTurnsToMessages = 16;

    private NativeBuffer _held;
    private int _heldError;
    private int _smallTurns;
    private bool _streams;
    private bool _receiveOut;
    private bool _cancelled;
    private bool _heldEnd;

    private protected override void OnReadingResumed()
    {
        // Not at once: the owner may be in the middle of a callback.
        Loop.MakeReady(this);
    }

    private protected override void OnReadingPaused()
    {
        if (!_streams)
        {
            // What the kernel has not taken off the socket yet shall stay there, so that the peer slows down.
            CancelReceive();
        }
    }

    private void Receive()
    {
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpReceive;
        entry->Flags = UringAbi.EntryBufferSelect;
        entry->IoPriority = UringAbi.ReceiveMultishot;
        entry->Fd = Fd;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpReceive);
        _receiveOut = true;
        _cancelled = false;
    }

    private void CancelReceive()
    {
        if (!_receiveOut || _cancelled)
        {
            return;
        }

        _cancelled = true;
        var cancel = _loop.Ring.Next();
        cancel->Operation = UringAbi.OpAsyncCancel;
        cancel->Address = _loop.Tag(_slot, UringAbi.OpReceive);
        cancel->UserData = _loop.Tag(_slot, 0);
    }

    private void WaitForInput()
    {
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpPollAdd;
        entry->Fd = Fd;
        entry->OperationFlags = UringAbi.PollIn | UringAbi.PollReadHup;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpPollAdd);
        _receiveOut = true;
    }

    private void OnInputWaits()
    {
        _receiveOut = false;
        if (Fd >= 0 && WantsInput)
        {
            ReadStream();
        }
    }

    private void ContinueReading()
    {
        if (_streams)
        {
            ReadStream();
        }
        else
        {
            Receive();
        }
    }

    /// <summary>Reads what there is, up to a turn's share.</summary>
    private void ReadStream()
    {
        for (var turn = 0; turn < ReadsPerTurn; turn++)
        {
            var count = (int)Libc.Recv(Fd, Loop.ScratchPointer, EventLoop.ScratchSize, UringAbi.MsgDontWait);
            if (count <= 0)
            {
                OnNothingRead(count);
                return;
            }

            Received += count;
            Handler?.OnData(Loop.Scratch[..count]);
            if (Fd < 0 || !WantsInput)
            {
                return;
            }

            if (count < EventLoop.ScratchSize)
            {
                _smallTurns = turn == 0 && count < Uring.BufferSize ? _smallTurns + 1 : 0;
                _streams = _smallTurns < SmallTurnsToMessages;
                AwaitMore();
                return;
            }
        }

        Loop.MakeReady(this);
    }

    private void AwaitMore()
    {
        if (_streams)
        {
            WaitForInput();
        }
        else
        {
            Receive();
        }
    }

    private void OnNothingRead(int count)
    {
        var error = count < 0 ? Libc.LastError : 0;
        switch (error)
        {
            case 0 when count == 0:
                OnPeerEnd();
                break;
            case Libc.EIntr:
                Loop.MakeReady(this);
                break;
            case Libc.EAgain:
                WaitForInput();
                break;
            default:
                Fail(error);
                break;
        }
    }

    private void OnReceived(in UringCompletion completion)
    {
        if ((completion.Flags & UringAbi.CompletionMore) == 0)
        {
            _receiveOut = false;
        }

        if (Fd < 0)
        {
            return;
        }

        var result = completion.Result;
        if (result > 0)
        {
            Received += result;
            var bytes = _loop.Ring.Buffer(completion.Flags, result);
            if (result == Uring.BufferSize && !_streams)
            {
                // More than messages have: what else there is shall be read when there is a use for it.
                _streams = true;
                _smallTurns = 0;
                CancelReceive();
            }

            if (WantsInput && _held.IsEmpty)
            {
                Handler?.OnData(bytes);
            }
            else
            {
                _held.Append(bytes);
            }
        }
        else if (result == 0)
        {
            _heldEnd = true;
        }
        else if (result == -UringAbi.ENoBufs)
        {
            _loop.Ring.AddBuffers();
        }
        else if (result is not (-UringAbi.ECanceled or -Libc.EIntr or -Libc.EAgain))
        {
            _heldError = -result;
        }

        if (Fd >= 0 && (!_receiveOut || _heldEnd))
        {
            // The end, an error, or a receive that must be asked for anew: in the next round.
            Loop.MakeReady(this);
        }
    }

    /// <summary>What came while the owner did not want it, in order: bytes, then the end or the error.</summary>
    private void DeliverHeld()
    {
        if (!WantsInput)
        {
            return;
        }

        if (!_held.IsEmpty)
        {
            var held = _held;
            _held = default;
            Handler?.OnData(held.Bytes);
            held.Free();
        }

        if (Fd < 0 || !WantsInput || !_held.IsEmpty)
        {
            return;
        }

        if (_heldError != 0)
        {
            Fail(_heldError);
        }
        else if (_heldEnd && !EndSeen)
        {
            OnPeerEnd();
        }
    }
}
