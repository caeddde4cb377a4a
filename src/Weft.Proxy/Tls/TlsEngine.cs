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

    /// <summary>
    /// Handshakes of one kind that this side has begun and not ended: each needs ten times the memory of a connection, so a thousand at once would
    /// need more than the connections ever do.
    /// </summary>
    internal const int ClientHandshakes = 32;

    /// <summary>If for so long none of them has ended, they may have met somebody who never answers: as many others begin.</summary>
    internal const int PatienceMs = 250;

    /// <summary>
    /// The same where clients begin them. Those who never end theirs keep others out once, for <see cref="PatienceMs"/>.
    /// </summary>
    internal const int ServerHandshakes = 64;

    /// <summary>Waiting handshakes; above this a new connection is refused.</summary>
    internal const int HandshakeQueueLimit = 1024;

    internal const int PlainSize = EventLoop.ScratchSize;

    private const int RecordSize = 16 * 1024;

    private static readonly string[] _knownProtocols =
        ["istio-http/1.1", "istio-http/1.0", "istio-h2", "istio", "istio-peer-exchange", "http/1.1", "http/1.0", "h2"];

    private readonly EventLoop _loop;
    private readonly Queue<TlsChannel> _waiting = new();
    private readonly List<TlsContext> _crowded = [];
    private readonly LoopTimer _turn;
    private readonly LoopTimer _clientTurn;
    private readonly BioState* _state;
    private readonly byte* _plain;
    private readonly List<nint> _plains = [];
    private readonly nint _method;
    private long _tick = -1;
    private int _startedInTick;
    private int _entered;

    internal TlsEngine(EventLoop loop)
    {
        _loop = loop;
        _turn = new LoopTimer(this);
        _clientTurn = new LoopTimer(this);
        _state = (BioState*)NativeMemory.AllocZeroed((nuint)sizeof(BioState));
        _plain = (byte*)NativeMemory.AlignedAlloc(PlainSize, 64);
        _method = LibSsl.BioMethodNew(LibSsl.BioTypeOwn, "weft");
        _ = LibSsl.BioMethodSetRead(_method, &BioRead);
        _ = LibSsl.BioMethodSetWrite(_method, &BioWrite);
        _ = LibSsl.BioMethodSetControl(_method, &BioControl);
    }

    /// <summary>What libssl has put out since the last clearing.</summary>
    internal ReadOnlySpan<byte> Output => new(_state->Output, _state->OutputLength);

    /// <summary>Where contexts send the secrets of their handshakes.</summary>
    internal static delegate* unmanaged<nint, byte*, void> KeyLog => &TakeSecret;

    internal long Now => _loop.Now;

    internal PeerTable Peers { get; } = new();

    internal Span<byte> Plain => new(_plain, PlainSize);

    /// <summary>Memory of <see cref="PlainSize"/> for what records carry, until <see cref="LeavePlain"/>; whoever enters inside has its own.</summary>
    internal byte* EnterPlain()
    {
        if (_entered == _plains.Count)
        {
            _plains.Add((nint)NativeMemory.AlignedAlloc(PlainSize, 64));
        }

        return (byte*)_plains[_entered++];
    }

    internal void LeavePlain() => _entered--;

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

        for (var i = 0; i < context.ExpectedHosts.Count; i++)
        {
            _ = i == 0 ? LibSsl.SetExpectedHost(ssl, context.ExpectedHosts[i]) : LibSsl.AddExpectedHost(ssl, context.ExpectedHosts[i]);
        }

        return ssl;
    }

    /// <param name="input">What libssl may read.</param>
    /// <param name="length">How much of it.</param>
    /// <param name="secrets">Where it leaves the secrets of a handshake; null behind one.</param>
    internal void SetInput(byte* input, int length, TlsSecrets* secrets = null)
    {
        _state->Secrets = secrets;
        _state->Input = input;
        _state->InputLength = length;
    }

    /// <summary>Ends the loan of the input; returns how much of it libssl has left.</summary>
    internal int TakeInput()
    {
        var left = _state->InputLength;
        _state->Input = null;
        _state->InputLength = 0;
        _state->Secrets = null;
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

    /// <summary>Puts the bytes into records of the type behind the output; false if that cannot be done any more.</summary>
    internal bool Seal(TlsRecords records, RecordType type, ReadOnlySpan<byte> bytes)
    {
        do
        {
            var part = bytes[..Math.Min(bytes.Length, TlsRecords.LongestPlain)];
            Reserve(_state, part.Length + TlsRecords.Overhead);
            var length = records.Seal(type, part, _state->Output + _state->OutputLength);
            if (length < 0)
            {
                return false;
            }

            _state->OutputLength += length;
            bytes = bytes[part.Length..];
        }
        while (!bytes.IsEmpty);
        return true;
    }

    /// <summary>Counts a handshake's first step against this tick's share.</summary>
    internal bool MayHandshake(TlsContext context)
    {
        if (!context.HasRoom(ServerHandshakes, PatienceMs, _loop.Now))
        {
            return false;
        }

        if (_tick != _loop.Now)
        {
            _tick = _loop.Now;
            _startedInTick = 0;
        }

        return _startedInTick++ < HandshakesPerTick;
    }

    /// <summary>False if too many wait already.</summary>
    internal bool Enqueue(TlsChannel channel)
    {
        if (_waiting.Count >= HandshakeQueueLimit)
        {
            return false;
        }

        _waiting.Enqueue(channel);
        if (!_turn.IsRunning)
        {
            _loop.Timers.Start(_turn, _loop.Now + 1);
        }

        return true;
    }

    /// <summary>True if a client may begin its handshake now; else it is continued when it may.</summary>
    internal bool MayBegin(TlsChannel client, TlsContext context)
    {
        if (context.Waiting.Count == 0 && context.HasRoom(ClientHandshakes, PatienceMs, _loop.Now))
        {
            return true;
        }

        context.Waiting.Enqueue(client);
        if (!context.IsCrowded)
        {
            context.IsCrowded = true;
            _crowded.Add(context);
        }

        TurnAt(context.PatienceUntil(PatienceMs));
        return false;
    }

    /// <summary>A handshake has come to its end, good or bad.</summary>
    internal void EndHandshake(TlsContext context)
    {
        context.EndHandshake(_loop.Now);
        if (context.Waiting.Count > 0)
        {
            TurnAt(_loop.Now + 1);
        }
    }

    public void OnTimer(LoopTimer timer)
    {
        if (timer == _clientTurn)
        {
            BeginWaiting();
            return;
        }

        // Those who have gone take nobody's place.
        while (_waiting.TryPeek(out var first) && (!first.IsAlive || MayHandshake(first.Context)))
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

    private void TurnAt(long due)
    {
        if (!_clientTurn.IsRunning || due < _clientTurn.Due)
        {
            _loop.Timers.Start(_clientTurn, due);
        }
    }

    private void BeginWaiting()
    {
        for (var i = _crowded.Count - 1; i >= 0; i--)
        {
            var context = _crowded[i];
            while (context.Waiting.Count > 0 && context.HasRoom(ClientHandshakes, PatienceMs, _loop.Now))
            {
                context.Waiting.Dequeue().ContinueHandshake();
            }

            if (context.Waiting.Count > 0)
            {
                TurnAt(context.PatienceUntil(PatienceMs));
            }
            else
            {
                context.IsCrowded = false;
                _crowded.RemoveAt(i);
            }
        }
    }

    /// <summary>Null if the peer is who it may be, else the reason why not.</summary>
    internal static string? Judge(TlsContext context, PeerIdentity? peer)
    {
        if (context.Rule is { } rule)
        {
            return rule.Judge(peer);
        }

        if (!context.VerifiesIdentity)
        {
            return null;
        }

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
        _plains.ForEach(memory => NativeMemory.AlignedFree((void*)memory));
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
        Reserve(state, length);
        Buffer.MemoryCopy(bytes, state->Output + state->OutputLength, length, length);
        state->OutputLength += length;
        return length;
    }

    [UnmanagedCallersOnly]
    private static long BioControl(nint bio, int command, long value, nint pointer) => command == LibSsl.BioFlush ? 1 : 0;

    [UnmanagedCallersOnly]
    private static void TakeSecret(nint ssl, byte* line)
    {
        var state = (BioState*)LibSsl.BioGetData(LibSsl.ReadBio(ssl));
        if (state->Secrets is not null)
        {
            state->Secrets->Take(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(line));
        }
    }

    private static void Reserve(BioState* state, int length)
    {
        if (state->OutputCapacity - state->OutputLength < length)
        {
            var capacity = Math.Max(state->OutputCapacity * 2, Math.Max(PlainSize, state->OutputLength + length));
            state->Output = (byte*)NativeMemory.Realloc(state->Output, (nuint)capacity);
            state->OutputCapacity = capacity;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct BioState
    {
        internal byte* Input;
        internal int InputLength;
        internal int OutputLength;
        internal byte* Output;
        internal int OutputCapacity;
        internal TlsSecrets* Secrets;
    }
}
