// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Tunnels;

namespace Weft.Proxy.Stacks;

/// <summary>The way down: the upstream's answer, or the proxy's own.</summary>
internal sealed partial class Exchange
{
    private long _responseLeft;
    private bool _clientCloses;

    internal void OnUpstreamData(ReadOnlySpan<byte> data)
    {
        if (_finished)
        {
            return;
        }

        if (_responseBegan)
        {
            ForwardLaterBody(data);
            return;
        }

        if (_responseBytes.IsEmpty)
        {
            ReadResponseHead(data, kept: false);
        }
        else
        {
            _responseBytes.Append(data);
            ReadResponseHead(_responseBytes.Bytes, kept: true);
        }
    }

    internal void OnUpstreamEnd()
    {
        if (_responseBegan && Response.Framing == BodyFraming.UntilClose)
        {
            DropUpstream();
            if (ResponseIsRechunked)
            {
                Client.Channel.Write("0\r\n\r\n"u8);
            }

            CompleteResponse(upstreamClean: false);
            return;
        }

        FailTry(new Failure(FailureKind.ConnectionClosed));
    }

    /// <summary>The client took what it had been sent.</summary>
    internal void OnClientDrained() => _upstream?.Channel.ResumeReading();

    /// <summary>Answers in the proxy's own name: redirects, direct responses.</summary>
    internal void Answer(int status, ReadOnlySpan<byte> extraLines, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, bool closes = false)
    {
        Status = status;
        DropUpstream();
        var close = closes || WantsBody || !Request.KeepAlive || Client.MustClose;
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.AppendStatusLine(ref output, status);
        output.Append("content-length: "u8);
        HeadWriter.AppendNumber(ref output, body.Length);
        output.Append("\r\n"u8);
        if (!body.IsEmpty)
        {
            HeadWriter.AppendLine(ref output, "content-type"u8, contentType);
        }

        output.Append(extraLines);
        HeadWriter.AppendLine(ref output, "date"u8, Loop.Date.Text);
        HeadWriter.AppendServer(ref output, this);
        if (close)
        {
            output.Append("connection: close\r\n"u8);
        }

        if (Failure.IsNone)
        {
            Route?.Actions.ResponseEdits?.Append(ref output, this);
        }

        output.Append("\r\n"u8);
        if (Request.Method != KnownMethod.Head)
        {
            output.Append(body);
            ResponseBodyBytes += body.Length;
        }

        Client.Channel.Write(output.Bytes);
        output.Reset(ProxyLoop.KeptOutputSize);
        Finish(keepClient: !close);
    }

    /// <summary>The one place where failures become responses.</summary>
    internal void AnswerFailure(Failure failure, bool closes = false)
    {
        if (_finished)
        {
            return;
        }

        Failure = failure;
        if (_responseBegan)
        {
            BreakResponse(failure);
            return;
        }

        Answer(failure.Kind == FailureKind.FaultAbort ? Route!.Plan.Fault!.AbortStatus : failure.Status, [], "text/plain"u8, failure.Body, closes);
    }

    private void ReadResponseHead(ReadOnlySpan<byte> bytes, bool kept)
    {
        var offset = 0;
        while (true)
        {
            var status = Http1Parser.TryParseResponse(bytes[offset..], Response, Request.Method, Http1Rules.Default);
            if (status == ParseStatus.Invalid)
            {
                FailTry(new Failure(FailureKind.BadResponse, Response.Error.Describe()));
                return;
            }

            if (status == ParseStatus.NeedMore)
            {
                KeepRest(bytes[offset..], kept, offset);
                return;
            }

            if (!Response.IsInterim)
            {
                break;
            }

            // 100 and 103 go on as they are; the answer itself is still to come.
            ForwardInterim(bytes.Slice(offset, Response.Length));
            offset += Response.Length;
            Response.Reset();
            if (_finished)
            {
                return;
            }
        }

        if (!kept)
        {
            OnFinalHead(bytes[offset..]);
            return;
        }

        // What is read from here on may itself leave a rest behind, so the buffer must not be the one that is read.
        var held = _responseBytes;
        _responseBytes = default;
        OnFinalHead(held.Bytes[offset..]);
        held.Free();
    }

    private void KeepRest(ReadOnlySpan<byte> rest, bool kept, int offset)
    {
        if (!kept)
        {
            _responseBytes.Append(rest);
        }
        else
        {
            _responseBytes.Consume(offset);
        }
    }

    private void ForwardInterim(ReadOnlySpan<byte> head)
    {
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.WriteResponse(ref output, this, head, close: false);
        Client.Channel.Write(output.Bytes);
        output.Reset(ProxyLoop.KeptOutputSize);
    }

    private void OnFinalHead(ReadOnlySpan<byte> bytes)
    {
        Loop.Events.Timers.Stop(_tryTimer);
        var retry = Route?.Actions.Retry;
        if (retry is not null && CanReplay && !WantsBody && IsWorthAnother(retry, bytes))
        {
            if (_retries < retry.Attempts)
            {
                DropUpstream();
                _ = TryAgain(retry);
                return;
            }

            RetriesExhausted = retry.Attempts > 0;
        }

        Status = Response.Status;
        UpstreamServiceMs = Loop.ElapsedMs(_sentAt);
        GrpcStatus = Observe.GrpcStatusOf(Response, bytes);
        _responseBegan = true;
        ResponseIsRechunked = Response.Framing == BodyFraming.UntilClose;
        _clientCloses = !Request.KeepAlive || Client.MustClose;
        _responseLeft = Response.Framing == BodyFraming.Length ? Response.ContentLength : 0;
        _responseChunks.Reset();
        if (Response.Framing == BodyFraming.Tunnel)
        {
            BecomeTunnel(bytes);
            return;
        }

        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.WriteResponse(ref output, this, bytes, _clientCloses || WantsBody);
        var length = Response.Length;
        if (Response.Framing == BodyFraming.None || (Response.Framing == BodyFraming.Length && _responseLeft == 0))
        {
            Client.Channel.Write(output.Bytes);
            output.Reset(ProxyLoop.KeptOutputSize);
            CompleteResponse(upstreamClean: bytes.Length == length);
            return;
        }

        ForwardResponseBody(bytes[length..], output.Length);
    }

    private bool IsWorthAnother(RetryPolicy retry, ReadOnlySpan<byte> bytes)
    {
        if (retry.CoversStatus(Response.Status))
        {
            return true;
        }

        return retry.LooksAtGrpcStatus && retry.CoversGrpc(Observe.GrpcStatusOf(Response, bytes));
    }

    private void ForwardLaterBody(ReadOnlySpan<byte> data)
    {
        if (_responseBytes.IsEmpty)
        {
            ForwardResponseBody(data, headLength: 0);
            return;
        }

        // The piece of a chunk's line that was left over, and what follows it.
        var held = _responseBytes;
        _responseBytes = default;
        held.Append(data);
        ForwardResponseBody(held.Bytes, headLength: 0);
        held.Free();
    }

    /// <summary>Sends body bytes, behind the head where that still waits in the loop's output.</summary>
    private void ForwardResponseBody(ReadOnlySpan<byte> bytes, int headLength)
    {
        ref var output = ref Loop.Out;
        if (headLength == 0)
        {
            output.Clear();
        }

        var count = bytes.Length;
        var done = false;
        switch (Response.Framing)
        {
            case BodyFraming.Length:
                count = (int)Math.Min(count, _responseLeft);
                _responseLeft -= count;
                done = _responseLeft == 0;
                ResponseBodyBytes += count;
                break;
            case BodyFraming.Chunked:
                if (!_responseChunks.TryAdvance(bytes, out count, out var payload))
                {
                    output.Clear();
                    FailTry(new Failure(FailureKind.BadResponse, _responseChunks.Problem));
                    return;
                }

                ResponseBodyBytes += payload;
                done = _responseChunks.IsDone;
                break;
            default:
                ResponseBodyBytes += count;
                break;
        }

        WriteBody(ref output, bytes[..count]);
        if (done)
        {
            CompleteResponse(upstreamClean: count == bytes.Length);
            return;
        }

        _responseBytes.Append(bytes[count..]);
        if (Client.Channel.Unsent > ByteChannel.HighWater)
        {
            _upstream?.Channel.PauseReading();
        }
    }

    private void WriteBody(ref NativeBuffer output, ReadOnlySpan<byte> bytes)
    {
        if (ResponseIsRechunked)
        {
            if (!bytes.IsEmpty)
            {
                HeadWriter.AppendHexNumber(ref output, bytes.Length);
                output.Append("\r\n"u8);
                output.Append(bytes);
                output.Append("\r\n"u8);
            }

            Client.Channel.Write(output.Bytes);
        }
        else if (output.IsEmpty)
        {
            Client.Channel.Write(bytes);
        }
        else
        {
            // Head and body leave in one send.
            output.Append(bytes);
            Client.Channel.Write(output.Bytes);
        }

        output.Reset(ProxyLoop.KeptOutputSize);
    }

    private void CompleteResponse(bool upstreamClean)
    {
        if (_upstream is { } upstream)
        {
            _upstream = null;
            if (upstreamClean && !WantsBody && Response.KeepAlive)
            {
                upstream.Channel.ResumeReading();
                upstream.Release();
            }
            else
            {
                upstream.Discard();
            }
        }

        // A client that is still sending its body cannot be understood again on this connection.
        Finish(keepClient: !_clientCloses && !WantsBody);
    }

    /// <summary>The head is gone already: only cutting the connection tells the client that the rest will not come.</summary>
    private void BreakResponse(Failure failure)
    {
        Failure = failure;
        DropUpstream();
        Client.Break();
        Finish(keepClient: false);
    }

    private void BecomeTunnel(ReadOnlySpan<byte> bytes)
    {
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.WriteResponse(ref output, this, bytes, close: false);
        var upstream = _upstream!;
        _upstream = null;
        var far = upstream.Detach();
        var rest = bytes[Response.Length..];
        output.Append(rest);
        ResponseBodyBytes += rest.Length;
        Client.Channel.Write(output.Bytes);
        output.Reset(ProxyLoop.KeptOutputSize);
        Client.BecomeTunnel(this, far);
    }

    /// <summary>The tunnel that the connection became has ended.</summary>
    internal void OnTunnelDone(BytePump pump)
    {
        RequestBodyBytes += pump.FromNear;
        ResponseBodyBytes += pump.FromFar;
        Finish(keepClient: false);
    }
}
