// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using Weft.Protocols.Grpc;
using Weft.Proxy.Io;

namespace Weft.Proxy.Stacks;

/// <summary>
/// The asking side of a call to another service about a request that waits for the answer: it keeps the answer, and lets the request go on at
/// the end of the tick in which it is complete, never from inside the service's connection.
/// </summary>
/// <remarks>
/// The call itself is an exchange of the proxy's own, as a copy of a request is, so its cluster's endpoints, limits, TLS and health are those of
/// every other request. Nothing of the request's body is read for it; what comes meanwhile is kept as it is before a try.
/// </remarks>
internal sealed class Question(ProxyLoop loop) : DownstreamStream, IFlushable
{
    /// <summary>Questions under way on a loop; above it they count as not answered.</summary>
    internal const int Limit = 1024;

    /// <summary>A question that is longer is not asked.</summary>
    internal const int MaxQuestionBytes = 64 * 1024;

    /// <summary>A longer answer is none.</summary>
    internal const int MaxAnswerBytes = 64 * 1024;

    private const int KeptBytes = 4 * 1024;

    private NativeBuffer _answer;
    private Exchange? _asker;
    private Exchange? _call;
    private bool _isTooLong;
    private bool _isTold;

    internal override ClientFacts Client => _asker!.Client;

    internal override bool IsHttp2 => true;

    internal override bool CanSplice => false;

    internal override int Unsent => 0;

    /// <summary>The whole answer is there, and the service says that it is a good one.</summary>
    internal bool IsAnswered { get; private set; }

    /// <summary>The answer's one message.</summary>
    internal ReadOnlySpan<byte> Message => _answer.Bytes[GrpcFrame.PrefixLength..];

    internal void Open(Exchange asker, Exchange call)
    {
        (_asker, _call) = (asker, call);
        IsAnswered = _isTooLong = _isTold = false;
    }

    /// <summary>The asker has what it wanted, or does not wait any more.</summary>
    internal void Close()
    {
        _asker = null;
        if (_call is { } call)
        {
            call.GiveUpAside();
        }
        else if (_isTold)
        {
            Return();
        }
    }

    internal override void SendInterim() => loop.Out.Clear();

    internal override void WriteHead(BodyKind body, bool last) => loop.Out.Clear();

    internal override void WriteBody(ReadOnlySpan<byte> payload)
    {
        _isTooLong |= _answer.Length + payload.Length > MaxAnswerBytes;
        if (!_isTooLong)
        {
            _answer.Append(payload);
        }
    }

    internal override void WriteEnd(ReadOnlySpan<byte> trailers)
    {
        // The exchange knows its status.
    }

    internal override void Flush()
    {
        // Nothing was sent.
    }

    internal override void PauseBody()
    {
        // All of the question is there.
    }

    internal override void ResumeBody()
    {
        // It was never paused.
    }

    internal override void Break() => _isTooLong = true;

    internal override void BecomeTunnel(ByteChannel far) => throw new InvalidOperationException("a question becomes no tunnel");

    internal override void BeginTunnel() => throw new InvalidOperationException("a question becomes no tunnel");

    internal override void OnExchangeDone(bool keep)
    {
        IsAnswered = keep && !_isTooLong && _call is { Status: 200, GrpcStatus: 0 } && IsOneMessage(_answer.Bytes);
        _call = null;
        loop.Events.FlushLater(this);
    }

    public void FlushOutput()
    {
        _isTold = true;
        if (_asker is { } asker)
        {
            asker.OnAnswered();
        }
        else
        {
            Return();
        }
    }

    public void Abandon() => _asker?.AnswerFailure(new Failure(FailureKind.AskingFailed, "a defect of this proxy"));

    private static bool IsOneMessage(ReadOnlySpan<byte> frames) => frames.Length >= GrpcFrame.PrefixLength && frames[0] == 0 &&
        BinaryPrimitives.ReadUInt32BigEndian(frames[1..]) == (uint)(frames.Length - GrpcFrame.PrefixLength);

    private void Return()
    {
        _answer.Reset(KeptBytes);
        loop.Return(this);
    }
}
