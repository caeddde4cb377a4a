// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Limits;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>The way down: the upstream's answer, or the proxy's own.</summary>
internal sealed partial class Exchange
{
    /// <summary>An interim response; the final one is still to come.</summary>
    /// <param name="bytes">The bytes that <see cref="Response"/> was parsed from.</param>
    internal void OnInterimResponse(ReadOnlySpan<byte> bytes)
    {
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.WriteResponse(ref output, this, bytes);
        Downstream.SendInterim();
    }

    /// <summary>The final head. Body, end and flush follow, if the exchange still has the upstream then.</summary>
    /// <param name="stream">Whose.</param>
    /// <param name="bytes">The bytes that <see cref="Response"/> was parsed from, and for a tunnel what came behind them.</param>
    /// <param name="body">What follows.</param>
    internal void OnResponseHead(UpstreamStream stream, ReadOnlySpan<byte> bytes, BodyKind body)
    {
        var from = TryOf(stream);
        GrpcStatus = Observe.GrpcStatusOf(Response, bytes);
        if (GrpcStatus >= 0 || Response.Status != 200 || !IsGrpc)
        {
            NoteAnswer(from);
        }

        if (Retry is { } retry && CanReplay && !WantsBody && IsWorthAnother(retry, bytes) && GoesOnWithout(from, retry, bytes))
        {
            return;
        }

        Loop.Events.Timers.Stop(_tryTimer);
        Accept(from);
        Moved();
        Status = Response.Status;
        UpstreamServiceMs = Loop.ElapsedMs(_try.SentAt);
        _responseBegan = true;
        BridgesAnswer = WebForm != GrpcWebForm.None && body != BodyKind.Tunnel && Observe.IsGrpc(Response, bytes);
        BeginCompression(bytes, body);
        ref var output = ref Loop.Out;
        output.Clear();
        HeadWriter.WriteResponse(ref output, this, bytes);
        if (body == BodyKind.None && EndsUnsaid)
        {
            // HTTP/2 said so by the end of its stream; HTTP/1.1 must be told that nothing follows.
            output.Append("content-length: 0\r\n"u8);
        }

        // A bridged or compressed body is not as long as its server said.
        Downstream.WriteHead((BridgesAnswer || CompressesAnswer) && body == BodyKind.Sized ? BodyKind.Open : body, last: false);
        if (body == BodyKind.Tunnel)
        {
            BeginTunnel(bytes[Response.Length..]);
        }
    }

    /// <summary>The head that was written leaves a client of HTTP/1.1 to wait for a body.</summary>
    private bool EndsUnsaid => !Downstream.IsHttp2 && Request.Method != KnownMethod.Head && Status is >= 200 and not (204 or 304) &&
        (BridgesAnswer || !Response.Has(KnownHeader.ContentLength));

    /// <summary>A piece of the response's body, free of framing; <see cref="FlushResponse"/> follows the last of those that came together.</summary>
    internal void OnResponseBody(ReadOnlySpan<byte> payload)
    {
        Moved();
        if (_extras is { Compressor: { } compressor })
        {
            compressor.Compress(payload);
            ResponseBodyBytes = compressor.Sent;
            return;
        }

        ResponseBodyBytes += payload.Length;
        if (IsGrpc)
        {
            _responseMessages.Add(payload);
        }

        WriteAnswer(payload);
    }

    /// <summary>The response is complete; the upstream is released.</summary>
    /// <param name="trailers">Field lines, each with CR LF.</param>
    internal void OnResponseEnd(ReadOnlySpan<byte> trailers)
    {
        if (IsTunnel && WantsBody)
        {
            // The other direction may still have something to say.
            _responseEnded = true;
            Downstream.WriteEnd([]);
            return;
        }

        if (GrpcStatus < 0 && !trailers.IsEmpty)
        {
            GrpcStatus = Observe.GrpcStatusOf(trailers);
            NoteAnswer(_try);
        }

        if (!_responseEnded)
        {
            FinishCompression();
            Downstream.WriteEnd(BridgesAnswer ? EndInBody(trailers) : trailers);
        }

        _try.Release(requestComplete: !WantsBody);

        Finish(keep: true);
    }

    internal void FlushResponse()
    {
        if (_finished)
        {
            return;
        }

        _extras?.Compressor?.Release();
        Downstream.Flush();
        if (Downstream.Unsent > ByteChannel.HighWater)
        {
            _try.Stream?.PauseResponse();
            Watch();
        }
    }

    /// <summary>The client took what it had been sent.</summary>
    internal void OnClientDrained() => _try.Stream?.ResumeResponse();

    /// <summary>Answers in the proxy's own name: redirects, direct responses.</summary>
    internal void Answer(int status, ReadOnlySpan<byte> extraLines, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, bool last = false)
    {
        if (IsGrpc && status is < 300 or >= 400)
        {
            AnswerGrpc(Failure.IsNone ? GrpcStatuses.Of(status) : GrpcStatuses.Of(Failure, status), extraLines, body, last);
            return;
        }

        Status = status;
        DropTries();
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
        AppendAddedLines(ref output);
        HeadWriter.AppendLine(ref output, "date"u8, Loop.Date.Text);
        HeadWriter.AppendServer(ref output, this);
        if (Failure.IsNone)
        {
            Route?.Actions.ResponseEdits?.Append(ref output, this);
        }

        Cors?.Append(ref output, Origin);

        var sendsBody = Request.Method != KnownMethod.Head && !body.IsEmpty;
        Downstream.WriteHead(sendsBody ? BodyKind.Sized : BodyKind.None, last);
        if (sendsBody)
        {
            Downstream.WriteBody(body);
            ResponseBodyBytes += body.Length;
        }

        Downstream.WriteEnd([]);
        Finish(keep: !last);
    }

    /// <summary>The one place where failures become responses.</summary>
    internal void AnswerFailure(Failure failure, bool last = false)
    {
        if (_finished)
        {
            return;
        }

        if (IsAside)
        {
            GiveUpAside();
            return;
        }

        Failure = failure;
        if (_responseBegan)
        {
            BreakResponse(failure);
            return;
        }

        if (failure.Kind == FailureKind.FaultAbort && Route!.Plan.Fault!.AbortGrpcStatus is > 0 and var grpcStatus)
        {
            if (IsGrpc)
            {
                AnswerGrpc(grpcStatus, failure.ExtraLines, failure.Body, last);
                return;
            }

            Answer(Observe.HttpStatusOf(grpcStatus), failure.ExtraLines, "text/plain"u8, failure.Body, last);
            return;
        }

        Answer(failure.Kind == FailureKind.FaultAbort ? Route!.Plan.Fault!.AbortStatus : failure.Status, LinesOf(failure), "text/plain"u8, BodyOf(failure), last);
    }

    /// <summary>A rate-limit service may have words of its own.</summary>
    private ReadOnlySpan<byte> BodyOf(in Failure failure) => failure.Kind == FailureKind.TooMuchForAll && Question is { } question &&
        LimitAnswer.TryRead(question.Message, out var answer) ? answer.Body : failure.Body;

    private ReadOnlySpan<byte> LinesOf(in Failure failure) =>
        failure.Kind == FailureKind.RateLimited ? Route!.Actions.RateLimit!.Lines : failure.ExtraLines;

    /// <summary>The endpoint is judged by its answers; those of gRPC count by the HTTP status that stands for theirs.</summary>
    private void NoteAnswer(UpstreamTry from) => from.NoteAnswer(
        GrpcStatus >= 0 && Response.Status < 500 ? Observe.HttpStatusOf(GrpcStatus) : Response.Status);

    private bool IsWorthAnother(RetryPolicy retry, ReadOnlySpan<byte> bytes)
    {
        var conditions = retry.Conditions | _asked;
        var covered = conditions.CoversStatus(Response.Status) || conditions.CoversGrpc(GrpcStatus) ||
            (conditions.Has(RetryConditions.StatusCodes) && (retry.NamesStatus(Response.Status) || AsksForStatus(Response.Status))) ||
            (conditions.Has(RetryConditions.Headers) && (retry.NamesFieldOf(Response, bytes) || AsksForFieldOf(Response, bytes)));

        // Who says that there is too much already is asked again only where the route insists.
        var coversRateLimited = conditions.Has(RetryConditions.RateLimited);
        return (covered || coversRateLimited) && Response.IndexOf("x-envoy-ratelimited"u8, bytes) >= 0 ? coversRateLimited : covered;
    }

    /// <summary>The head is gone already: only cutting the stream tells the client that the rest will not come.</summary>
    private void BreakResponse(Failure failure)
    {
        Failure = failure;
        DropTries();
        Downstream.Break();
        Finish(keep: false);
    }

    private void BeginTunnel(ReadOnlySpan<byte> early)
    {
        // How long a tunnel lasts is not the route's timeout to say.
        Loop.Events.Timers.Stop(_requestTimer);
        StopTryTimers();

        // A tunnel has an idle time of its own, and no length.
        Loop.Events.Timers.Stop(_watch);
        Moved();
        _bodyLimit = long.MaxValue;
        if (Downstream.CanSplice && _try.Detach() is { } far)
        {
            ResponseBodyBytes += early.Length;
            Downstream.WriteBody(early);
            Downstream.Flush();
            Downstream.BecomeTunnel(far);
            return;
        }

        IsTunnel = WantsBody = _bodyLost = true;
        Loop.Events.Timers.Start(_watch, _movedAt + TunnelIdleMs);
        Downstream.BeginTunnel();
    }

    /// <summary>The tunnel that the connection became has ended.</summary>
    internal void OnTunnelDone(BytePump pump)
    {
        if (pump.End == PumpEnd.Idle)
        {
            Loop.Metrics.Hit(ProxyLimit.StreamIdleTime);
            Failure = new Failure(FailureKind.TunnelIdle);
        }

        RequestBodyBytes += pump.FromNear;
        ResponseBodyBytes += pump.FromFar;
        Finish(keep: false);
    }
}
