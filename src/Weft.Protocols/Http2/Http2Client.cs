// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Buffers.Binary;
using Weft.Protocols.Hpack;

namespace Weft.Protocols.Http2;

/// <summary>
/// The client's side of one HTTP/2 connection (RFC 9113) as a state machine: bytes from the peer go in by <see cref="Receive"/>, bytes for
/// the peer gather in <see cref="Output"/>. It knows nothing of sockets, time or threads; one thread uses it at a time.
/// </summary>
public sealed partial class Http2Client
{
    private const int DefaultWindow = 65_535;
    private const int LargestWindow = int.MaxValue;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    private readonly Dictionary<int, Http2ClientStream> _streams = [];
    private readonly IHttp2Handler _handler;
    private readonly Http2ClientLimits _limits;
    private readonly TextHpackDecoder _decoder;
    private readonly ArrayBufferWriter<byte> _block = new();
    private readonly List<TextHeaderField> _fields = [];
    private int _nextStream = 1;
    private int _blockStream;
    private bool _blockEndsStream;
    private int _controlFrames;
    private int _received;
    private int _peerInitialWindow = DefaultWindow;
    private int _peerMaxFrame = 16_384;
    private int _peerMaxStreams = int.MaxValue;
    private long _sendWindow = DefaultWindow;

    public Http2Client(IHttp2Handler handler, Http2ClientLimits limits)
    {
        _handler = handler;
        _limits = limits;
        _decoder = new TextHpackDecoder(4096, limits.MaxHeaderListSize);
        Output.Write(Preface);
        WriteSettings();
        WriteWindowUpdate(0, limits.ConnectionWindow - DefaultWindow);
    }

    /// <summary>Bytes for the peer; the caller sends and clears them after every call.</summary>
    public ArrayBufferWriter<byte> Output { get; } = new();

    /// <summary>Set once the connection must be closed (a GOAWAY is in <see cref="Output"/>).</summary>
    public Http2Failure? Failure { get; private set; }

    /// <summary>True after the peer's GOAWAY: running streams go on, new ones need a new connection.</summary>
    public bool IsDraining { get; private set; }

    public int OpenStreams => _streams.Count;

    /// <summary>False while the connection drains, broke, or has as many streams as the peer allows.</summary>
    public bool CanOpen => Failure is null && !IsDraining && _streams.Count < _peerMaxStreams && _nextStream > 0;

    /// <summary>Starts a request; the pseudo-headers come first in <paramref name="fields"/>. Authorization is never indexed.</summary>
    public int Open(IEnumerable<TextHeaderField> fields, bool endStream)
    {
        if (!CanOpen)
        {
            throw new InvalidOperationException("The HTTP/2 connection takes no new stream; ask CanOpen first.");
        }

        var id = _nextStream;
        _nextStream += 2;
        _streams[id] = new Http2ClientStream(_peerInitialWindow) { SentEnd = endStream };
        var block = new ArrayBufferWriter<byte>();
        foreach (var field in fields)
        {
            TextHpackEncoder.Encode(field, block, secret: string.Equals(field.Name, "authorization", StringComparison.Ordinal));
        }

        WriteHeaderBlock(id, block.WrittenSpan, endStream);
        return id;
    }

    /// <summary>
    /// Sends body bytes as far as the windows allow and keeps the rest; false if more than
    /// <see cref="Http2ClientLimits.MaxUnsentBytes"/> would have to be kept, or the stream is gone.
    /// </summary>
    public bool Send(int stream, ReadOnlySpan<byte> data, bool endStream)
    {
        if (Failure is not null || !_streams.TryGetValue(stream, out var state) || state.SentEnd || state.EndAfterUnsent
            || state.Unsent.WrittenCount - state.UnsentStart + data.Length > _limits.MaxUnsentBytes)
        {
            return false;
        }

        state.Unsent.Write(data);
        state.EndAfterUnsent = endStream;
        Flush(stream, state);
        return true;
    }

    /// <summary>Gives a stream up; the handler hears no more of it.</summary>
    public void Reset(int stream, Http2ErrorCode code)
    {
        if (_streams.Remove(stream))
        {
            WriteInt32Frame(FrameType.ResetStream, stream, (int)code);
        }
    }

    /// <summary>Asks the peer for a sign of life; the answer only shows as received bytes.</summary>
    public void Ping()
    {
        WriteHeader(8, FrameType.Ping, FrameFlag.None, 0);
        Output.Write("weftping"u8);
    }

    private void Flush(int id, Http2ClientStream state)
    {
        while (!state.SentEnd)
        {
            var waiting = state.Unsent.WrittenSpan[state.UnsentStart..];
            var room = (int)Math.Min(Math.Min(_sendWindow, state.SendWindow), _peerMaxFrame);
            if (waiting.IsEmpty ? !state.EndAfterUnsent : room <= 0)
            {
                break;
            }

            var part = waiting[..Math.Min(waiting.Length, Math.Max(room, 0))];
            var last = state.EndAfterUnsent && part.Length == waiting.Length;
            WriteHeader(part.Length, FrameType.Data, last ? FrameFlag.EndStream : FrameFlag.None, id);
            Output.Write(part);
            _sendWindow -= part.Length;
            state.SendWindow -= part.Length;
            state.UnsentStart += part.Length;
            state.SentEnd = last;
        }

        if (state.UnsentStart == state.Unsent.WrittenCount)
        {
            state.Unsent.ResetWrittenCount();
            state.UnsentStart = 0;
        }

        RemoveIfDone(id, state);
    }

    private void RemoveIfDone(int id, Http2ClientStream state)
    {
        if (state.SentEnd && state.ReceivedEnd)
        {
            _streams.Remove(id);
        }
    }

    private void WriteHeaderBlock(int stream, ReadOnlySpan<byte> block, bool endStream)
    {
        var type = FrameType.Headers;
        var flags = endStream ? FrameFlag.EndStream : FrameFlag.None;
        do
        {
            var part = block[..Math.Min(block.Length, _peerMaxFrame)];
            block = block[part.Length..];
            WriteHeader(part.Length, type, (byte)(flags | (block.IsEmpty ? FrameFlag.EndHeaders : FrameFlag.None)), stream);
            Output.Write(part);
            type = FrameType.Continuation;
            flags = FrameFlag.None;
        }
        while (!block.IsEmpty);
    }

    private void WriteSettings()
    {
        ReadOnlySpan<(ushort Id, int Value)> settings =
        [
            (2, 0), // ENABLE_PUSH: refused
            (4, _limits.StreamWindow),
            (5, _limits.MaxFrameSize),
            (6, _limits.MaxHeaderListSize),
        ];
        WriteHeader(settings.Length * 6, FrameType.Settings, FrameFlag.None, 0);
        foreach (var (id, value) in settings)
        {
            var span = Output.GetSpan(6);
            BinaryPrimitives.WriteUInt16BigEndian(span, id);
            BinaryPrimitives.WriteInt32BigEndian(span[2..], value);
            Output.Advance(6);
        }
    }

    private void WriteWindowUpdate(int stream, int increment)
    {
        if (increment > 0)
        {
            WriteInt32Frame(FrameType.WindowUpdate, stream, increment);
        }
    }

    private void WriteInt32Frame(FrameType type, int stream, int value)
    {
        WriteHeader(4, type, FrameFlag.None, stream);
        BinaryPrimitives.WriteInt32BigEndian(Output.GetSpan(4), value);
        Output.Advance(4);
    }

    private void WriteHeader(int length, FrameType type, byte flags, int stream)
    {
        new FrameHeader(length, type, flags, stream).Encode(Output.GetSpan(FrameHeader.Length));
        Output.Advance(FrameHeader.Length);
    }
}
