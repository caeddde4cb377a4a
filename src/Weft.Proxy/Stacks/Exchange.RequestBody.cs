// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Grpc;
using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>The request's body on its way up.</summary>
internal sealed partial class Exchange
{
    private BodyKind _requestBody;
    private bool _bodyLost;
    private bool _clientPaused;

    // What follows a CONNECT waits with the client's side until an endpoint is connected, so another one can be asked.
    private bool CanReplay => !_bodyLost && !Request.IsUpgrade;

    internal void OnUpstreamDrained()
    {
        if (_clientPaused)
        {
            _clientPaused = false;
            Downstream.ResumeBody();
        }
    }

    /// <summary>A piece of the request's body, free of framing; <see cref="FlushRequest"/> follows the last of those that came together.</summary>
    internal void OnRequestBody(ReadOnlySpan<byte> payload)
    {
        if (_finished)
        {
            return;
        }

        RequestBodyBytes += payload.Length;
        if (RequestBodyBytes > _bodyLimit)
        {
            Loop.Metrics.Hit(ProxyLimit.BodyBytes);
            RefuseBody(new Failure(FailureKind.BodyTooLarge));
            return;
        }

        Moved();
        if (WebForm == GrpcWebForm.Text)
        {
            DecodeRequest(payload);
        }
        else
        {
            SendRequestBody(payload);
        }
    }

    /// <summary>A piece of the body as the server gets it.</summary>
    private void SendRequestBody(ReadOnlySpan<byte> payload)
    {
        if (IsGrpc)
        {
            _requestMessages.Add(payload);
        }

        MirrorBody(payload);
        KeepForReplay(payload);
        if (!_try.IsSent || _try.Stream is not { } upstream)
        {
            // Not connected yet, or between tries: what is kept so far is sent when it is. The client waits beyond the limit.
            PauseClientAbove(_body.Length, RetryPolicy.BodyLimit);
            return;
        }

        upstream.WriteBody(payload);
        if (HasShadows)
        {
            // The copies of the next piece need the loop's output.
            upstream.Flush();
        }

        PauseClientAbove(upstream.Unsent, ByteChannel.HighWater);
    }

    /// <summary>The request is complete.</summary>
    /// <param name="trailers">Field lines, each with CR LF.</param>
    internal void OnRequestEnd(ReadOnlySpan<byte> trailers)
    {
        if (_finished)
        {
            return;
        }

        if (!_webText.IsWhole)
        {
            RefuseBody(new Failure(FailureKind.BadBase64, "the body ends inside a group of four"));
            return;
        }

        WantsBody = false;
        _trailers.Append(trailers);
        MirrorEnd(trailers);
        if (_try.IsSent)
        {
            _try.Stream?.WriteEnd(trailers);
        }

        if (!IsTunnel)
        {
            StartRequestTimer();
            StartTryTimer();
        }
        else if (_responseEnded)
        {
            OnResponseEnd([]);
        }
    }

    internal void FlushRequest()
    {
        if (_try.IsSent && !_finished)
        {
            _try.Stream?.Flush();
        }
    }

    /// <summary>The request's body cannot be understood, or is not taken.</summary>
    internal void RefuseBody(Failure failure)
    {
        WantsBody = false;
        DropTries();
        AnswerFailure(failure, last: true);
    }

    private void KeepForReplay(ReadOnlySpan<byte> payload)
    {
        if (_bodyLost)
        {
            return;
        }

        if (_try.IsSent && _body.Length + payload.Length > RetryPolicy.BodyLimit)
        {
            _bodyLost = true;
            _body.Free();
            return;
        }

        _body.Append(payload);
    }

    private void PauseClientAbove(int amount, int limit)
    {
        if (amount > limit && !_clientPaused)
        {
            _clientPaused = _pausedMeanwhile = true;
            Downstream.PauseBody();
        }
    }
}
