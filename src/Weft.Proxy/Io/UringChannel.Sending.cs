// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Io;

/// <summary>Output: small messages collect and leave together with those of other sockets; long ones leave at once, without being copied.</summary>
internal sealed unsafe partial class UringChannel
{
    /// <summary>From so many bytes on, copying costs more than a system call of its own.</summary>
    private const int SendAtOnce = 16 * 1024;

    private NativeBuffer _sending;
    private NativeBuffer _waiting;
    private bool _sendOut;

    internal override int Unsent => _sending.Length + _waiting.Length;

    internal override void Write(ReadOnlySpan<byte> bytes, bool more = false)
    {
        if (Fd < 0 || FailedWith != 0 || EndWanted || bytes.IsEmpty)
        {
            return;
        }

        if (!_sendOut && !_connecting && _waiting.Length + bytes.Length >= SendAtOnce)
        {
            SendDirectly(bytes, more);
            return;
        }

        _waiting.Append(bytes);
        if (!more && !_connecting)
        {
            Send();
        }
    }

    /// <summary>What waits and the bytes behind it; what the kernel does not take is kept.</summary>
    private void SendDirectly(ReadOnlySpan<byte> bytes, bool more)
    {
        var waiting = _waiting.Bytes;
        long sent;
        fixed (byte* first = waiting, second = bytes)
        {
            var parts = stackalloc MessagePart[2];
            parts[0] = new MessagePart { Start = first, Length = (nuint)waiting.Length };
            parts[1] = new MessagePart { Start = second, Length = (nuint)bytes.Length };
            var message = new MessageHead { Parts = parts, PartCount = 2 };
            sent = Libc.SendMessage(Fd, &message, Libc.MsgNoSignal | UringAbi.MsgDontWait | (more ? Libc.MsgMore : 0));
        }

        if (sent < 0)
        {
            var error = Libc.LastError;
            if (error is not (Libc.EAgain or Libc.EIntr))
            {
                FailLater(error);
                return;
            }

            sent = 0;
        }

        Sent += sent;
        var ofWaiting = (int)Math.Min(sent, waiting.Length);
        _waiting.Consume(ofWaiting);
        _waiting.Append(bytes[(int)(sent - ofWaiting)..]);
        if (_waiting.IsEmpty)
        {
            _waiting.Free();
        }
        else
        {
            Send();
        }
    }

    private void Send()
    {
        if (_sendOut || Unsent == 0)
        {
            return;
        }

        if (_sending.IsEmpty)
        {
            (_sending, _waiting) = (_waiting, _sending);
        }

        var bytes = _sending.Bytes;
        var entry = _loop.Ring.Next();
        entry->Operation = UringAbi.OpSend;
        entry->Fd = Fd;
        entry->Address = (ulong)(nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        entry->Length = (uint)bytes.Length;
        entry->OperationFlags = Libc.MsgNoSignal | UringAbi.MsgWaitAll;
        entry->UserData = _loop.Tag(_slot, UringAbi.OpSend);
        _sendOut = true;
    }

    private void OnSent(int result)
    {
        _sendOut = false;
        if (Fd < 0)
        {
            return;
        }

        if (result < 0 && result is not (-Libc.EIntr or -Libc.EAgain))
        {
            FailLater(-result);
            return;
        }

        if (result > 0)
        {
            Sent += result;
            _sending.Consume(result);
        }

        if (Unsent > 0)
        {
            Send();
            return;
        }

        _sending.Free();
        _waiting.Free();
        SendEndIfDone();
        if (Fd >= 0)
        {
            Handler?.OnDrained();
        }
    }
}
