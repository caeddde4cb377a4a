// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Weft.Proxy.Io;

namespace Weft.Proxy.Tls;

/// <summary>
/// What the TLS connections of one loop share: the BIO through which libssl takes input from, and leaves output in, the loop's memory;
/// and the queue that spreads handshakes over ticks.
/// </summary>
internal sealed unsafe class TlsEngine : ITimerOwner, IDisposable
{
    /// <summary>Full handshakes per tick (about 1 ms each); the rest wait their turn.</summary>
    internal const int HandshakesPerTick = 4;

    /// <summary>Waiting handshakes; above this a new connection is refused.</summary>
    internal const int HandshakeQueueLimit = 1024;

    private const int PlainSize = EventLoop.ScratchSize;
    private const int RecordSize = 16 * 1024;

    private static readonly string[] _knownProtocols =
        ["istio-http/1.1", "istio-http/1.0", "istio-h2", "istio", "istio-peer-exchange", "http/1.1", "http/1.0", "h2"];

    private readonly EventLoop _loop;
    private readonly Queue<TlsChannel> _waiting = new();
    private readonly LoopTimer _turn;
    private readonly BioState* _state;
    private readonly byte* _plain;
    private readonly nint _method;
    private long _tick = -1;
    private int _startedInTick;

    internal TlsEngine(EventLoop loop)
    {
        _loop = loop;
        _turn = new LoopTimer(this);
        _state = (BioState*)NativeMemory.AllocZeroed((nuint)sizeof(BioState));
        _plain = (byte*)NativeMemory.AlignedAlloc(PlainSize, 64);
        _method = LibSsl.BioMethodNew(LibSsl.BioTypeOwn, "weft");
        _ = LibSsl.BioMethodSetRead(_method, &BioRead);
        _ = LibSsl.BioMethodSetWrite(_method, &BioWrite);
        _ = LibSsl.BioMethodSetControl(_method, &BioControl);
    }

    /// <summary>What libssl has put out since the last clearing.</summary>
    internal ReadOnlySpan<byte> Output => new(_state->Output, _state->OutputLength);

    internal PeerTable Peers { get; } = new();

    internal Span<byte> Plain => new(_plain, PlainSize);

    internal nint NewSession(TlsContext context)
    {
        var ssl = LibSsl.New(context.Handle);
        if (ssl == 0)
        {
            throw new TlsException($"No TLS session: {LibSsl.TakeError()}");
        }

        var bio = LibSsl.BioNew(_method);
        LibSsl.BioSetData(bio, (nint)_state);
        LibSsl.BioSetInit(bio, 1);
        LibSsl.SetBio(ssl, bio, bio);
        if (context.IsServer)
        {
            LibSsl.SetAccept(ssl);
            return ssl;
        }

        LibSsl.SetConnect(ssl);
        if (context.Sni.Length > 0)
        {
            _ = LibSsl.ControlText(ssl, LibSsl.ControlSetServerName, 0, context.Sni);
        }

        if (context.ExpectedHost.Length > 0)
        {
            _ = LibSsl.SetExpectedHost(ssl, context.ExpectedHost);
        }

        return ssl;
    }

    internal void SetInput(byte* input, int length)
    {
        _state->Input = input;
        _state->InputLength = length;
    }

    /// <summary>Ends the loan of the input; returns how much of it libssl has left.</summary>
    internal int TakeInput()
    {
        var left = _state->InputLength;
        _state->Input = null;
        _state->InputLength = 0;
        return left;
    }

    internal void ClearOutput()
    {
        _state->OutputLength = 0;
        if (_state->OutputCapacity > 4 * PlainSize)
        {
            NativeMemory.Free(_state->Output);
            _state->Output = null;
            _state->OutputCapacity = 0;
        }
    }

    /// <summary>Reads as many records as fit; <paramref name="result"/> is the last read's.</summary>
    internal int Decrypt(nint ssl, out int result)
    {
        var count = 0;
        do
        {
            result = LibSsl.Read(ssl, _plain + count, PlainSize - count);
            if (result <= 0)
            {
                break;
            }

            count += result;
        }
        while (count <= PlainSize - RecordSize && (_state->InputLength > 0 || LibSsl.HasPending(ssl) == 1));
        return count;
    }

    internal bool Encrypt(nint ssl, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var done = 0;
            while (done < bytes.Length)
            {
                var count = LibSsl.Write(ssl, start + done, bytes.Length - done);
                if (count <= 0)
                {
                    return false;
                }

                done += count;
            }
        }

        return true;
    }

    /// <summary>Counts a handshake's first step against this tick's share.</summary>
    internal bool MayHandshake()
    {
        if (_tick != _loop.Now)
        {
            _tick = _loop.Now;
            _startedInTick = 0;
        }

        return _startedInTick++ < HandshakesPerTick;
    }

    internal void Enqueue(TlsChannel channel)
    {
        if (_waiting.Count >= HandshakeQueueLimit)
        {
            channel.Abort();
            return;
        }

        channel.IsQueued = true;
        _waiting.Enqueue(channel);
        if (!_turn.IsRunning)
        {
            _loop.Timers.Start(_turn, _loop.Now + 1);
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        while (_waiting.Count > 0 && MayHandshake())
        {
            var channel = _waiting.Dequeue();
            channel.IsQueued = false;
            channel.ContinueHandshake();
        }

        if (_waiting.Count > 0)
        {
            _loop.Timers.Start(_turn, _loop.Now + 1);
        }
    }

    /// <summary>Null if the peer is who it may be, else the reason why not.</summary>
    internal static string? Judge(TlsContext context, PeerIdentity? peer)
    {
        if (peer?.Id is null)
        {
            return $"peer without identity: {peer?.Problem ?? "no certificate"}";
        }

        if (!context.TrustDomains.AsSpan().Contains(peer.Id.TrustDomain))
        {
            return $"peer {peer.Uri} is of a trust domain that is not accepted";
        }

        return context.AcceptedNames.Count == 0 || context.AcceptedNames.AsSpan().Contains(peer.Uri)
            ? null
            : $"peer {peer.Uri} is not among the names expected of the server";
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_plain);
        NativeMemory.Free(_state->Output);
        NativeMemory.Free(_state);
    }

    internal static string Intern(ReadOnlySpan<byte> protocol)
    {
        foreach (var known in _knownProtocols)
        {
            if (Ascii.Equals(protocol, known))
            {
                return known;
            }
        }

        return Encoding.Latin1.GetString(protocol);
    }

    [UnmanagedCallersOnly]
    private static int BioRead(nint bio, byte* buffer, int length)
    {
        var state = (BioState*)LibSsl.BioGetData(bio);
        LibSsl.BioClearFlags(bio, LibSsl.BioFlagRead | LibSsl.BioFlagRetry);
        if (state->InputLength == 0)
        {
            LibSsl.BioSetFlags(bio, LibSsl.BioFlagRead | LibSsl.BioFlagRetry);
            return -1;
        }

        var count = Math.Min(length, state->InputLength);
        Buffer.MemoryCopy(state->Input, buffer, length, count);
        state->Input += count;
        state->InputLength -= count;
        return count;
    }

    [UnmanagedCallersOnly]
    private static int BioWrite(nint bio, byte* bytes, int length)
    {
        var state = (BioState*)LibSsl.BioGetData(bio);
        if (state->OutputCapacity - state->OutputLength < length)
        {
            var capacity = Math.Max(state->OutputCapacity * 2, Math.Max(PlainSize, state->OutputLength + length));
            state->Output = (byte*)NativeMemory.Realloc(state->Output, (nuint)capacity);
            state->OutputCapacity = capacity;
        }

        Buffer.MemoryCopy(bytes, state->Output + state->OutputLength, length, length);
        state->OutputLength += length;
        return length;
    }

    [UnmanagedCallersOnly]
    private static long BioControl(nint bio, int command, long value, nint pointer) => command == LibSsl.BioFlush ? 1 : 0;

    [StructLayout(LayoutKind.Sequential)]
    private struct BioState
    {
        internal byte* Input;
        internal int InputLength;
        internal int OutputLength;
        internal byte* Output;
        internal int OutputCapacity;
    }
}
