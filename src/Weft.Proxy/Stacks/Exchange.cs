// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Filters;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>
/// One request and its response, from the first byte of its head to the last of the answer. Rented from its loop, so that a request costs
/// no allocation; it keeps the plan that it began with.
/// </summary>
internal sealed partial class Exchange : ITimerOwner
{
    private const int KeptBufferSize = 16 * 1024;

    private readonly LoopTimer _requestTimer;
    private readonly LoopTimer _tryTimer;
    private readonly LoopTimer _tryIdleTimer;
    private readonly LoopTimer _pauseTimer;
    private readonly byte[] _requestId = new byte[36];
    private NativeBuffer _headBytes;
    private NativeBuffer _upstreamHead;
    private NativeBuffer _body;
    private NativeBuffer _newTarget;
    private NativeBuffer _trailers;
    private Stage[] _stages = [];
    private int _nextStage;
    private bool _finished;

    internal Exchange(ProxyLoop loop)
    {
        Loop = loop;
        _try = new UpstreamTry(this);
        _rival = new UpstreamTry(this);
        _requestTimer = new LoopTimer(this);
        _tryTimer = new LoopTimer(this);
        _tryIdleTimer = new LoopTimer(this);
        _pauseTimer = new LoopTimer(this);
        _watch = new LoopTimer(this);
    }

    internal ProxyLoop Loop { get; }

    /// <summary>Where the answer goes.</summary>
    internal DownstreamStream Downstream { get; private set; } = null!;

    internal ClientFacts Client { get; private set; } = null!;

    internal HttpChain Service { get; private set; } = null!;

    /// <summary>The plan in force when the request began.</summary>
    internal LoadedPlan Plan { get; private set; } = null!;

    internal RequestHead Request { get; } = new();

    internal ResponseHead Response { get; } = new();

    internal ReadOnlySpan<byte> RequestBytes => _headBytes.Bytes;

    /// <summary>The same bytes for a stage that changes them where they stand.</summary>
    internal Span<byte> EditableHead => _headBytes.Bytes;

    internal PlannedRoute? Route { get; set; }

    internal WeightedTarget? Target { get; set; }

    /// <summary>Where it goes; that of the service for a question.</summary>
    internal ClusterEntry? Cluster => _extras?.Service ?? Target?.Cluster;

    /// <summary>The route's rules about other origins, where they allow the one that asks.</summary>
    internal CorsRules? Cors { get; set; }

    /// <summary>Of the page that asks; empty where it does not say.</summary>
    internal ReadOnlySpan<byte> Origin =>
        Request.IndexOf("origin"u8, RequestBytes) is >= 0 and var index ? Request.Fields[index].Value.Of(RequestBytes) : default;

    /// <summary>The new request target, where the route rewrites it; else empty.</summary>
    internal ReadOnlySpan<byte> NewTarget => _newTarget.Bytes;

    /// <summary>The new authority, where the route changes it; else empty.</summary>
    internal ReadOnlySpan<byte> NewAuthority =>
        Target?.RequestEdits?.Authority ?? Route?.Actions.RequestEdits?.Authority ?? Route?.Actions.NewAuthority ?? default(ReadOnlySpan<byte>);

    /// <summary>Valid where the request came without one.</summary>
    internal ReadOnlySpan<byte> MadeRequestId => _requestId;

    internal int Status { get; private set; }

    /// <summary>From the request's leaving to the answer's head; -1 if there was none.</summary>
    internal long UpstreamServiceMs { get; private set; }

    /// <summary>Of the response's head or its trailers; -1 without one.</summary>
    internal int GrpcStatus { get; private set; }

    /// <summary>The first failure that was not made good, for flags and details; none if all went well.</summary>
    internal Failure Failure { get; private set; }

    internal bool DelayInjected { get; set; }

    internal bool RetriesExhausted { get; private set; }

    /// <summary>The cluster had no room for a retry that the route would have allowed (flag UO).</summary>
    internal bool RetryOverflowed { get; private set; }

    internal long RequestBodyBytes { get; private set; }

    internal long ResponseBodyBytes { get; private set; }

    internal long StartedAt { get; private set; }

    /// <summary>True until the end of the request's body.</summary>
    internal bool WantsBody { get; private set; }

    /// <summary>Prepares for the next request of a connection.</summary>
    internal void Open(DownstreamStream downstream, HttpChain service)
    {
        Downstream = downstream;
        Client = downstream.Client;
        Service = service;
        Plan = Loop.Plan;
        _stages = service.Stages;
        _nextStage = 0;
        _finished = false;
        Route = null;
        Target = null;
        Cors = null;
        IsAside = false;
        Status = 0;
        UpstreamServiceMs = GrpcStatus = -1;
        Failure = default;
        DelayInjected = RetriesExhausted = WantsBody = _clientEnded = false;
        RequestBodyBytes = ResponseBodyBytes = 0;
        Request.Reset();
        Response.Reset();
        OpenUpstreamSide();
        OpenGrpc();
    }

    /// <summary>The head is complete: keeps its bytes, because the connection's buffer is only lent, and goes through the stages.</summary>
    internal void Begin(ReadOnlySpan<byte> head, BodyKind body)
    {
        StartedAt = Loop.Timestamp();
        _headBytes.Append(head);
        _requestBody = body;
        WantsBody = body is BodyKind.Sized or BodyKind.Open;
        _bodyLimit = long.MaxValue;
        BeginGrpc();
        KeepOrMakeRequestId();
        RunStages();
        if (WantsBody || StreamIdleMs > 0)
        {
            Watch();
        }
    }

    /// <summary>Every request has an id; asked again where the client's own is not believed.</summary>
    internal void KeepOrMakeRequestId()
    {
        if (!Request.Has(KnownHeader.XRequestId))
        {
            Loop.MakeRequestId(_requestId);
        }
    }

    /// <summary>The value of the first field of that name (in lower case), or <c>-</c>.</summary>
    internal ReadOnlySpan<byte> RequestHeader(ReadOnlySpan<byte> lowerName)
    {
        var index = Request.IndexOf(lowerName, RequestBytes);
        return index < 0 ? "-"u8 : Request.Fields[index].Value.Of(RequestBytes);
    }

    internal void RewriteTarget(ReadOnlySpan<byte> target)
    {
        _newTarget.Clear();
        _newTarget.Append(target);
    }

    /// <summary>Goes on after a stage that had to wait.</summary>
    internal void RunStages()
    {
        while (_nextStage < _stages.Length && !_finished)
        {
            if (_stages[_nextStage++].Apply(this) != StageResult.Continue)
            {
                return;
            }
        }
    }

    /// <summary>Lets the stage that is running run once more after its wait.</summary>
    internal void RepeatStage() => _nextStage--;

    /// <summary>Lets the stages go on in a while.</summary>
    internal StageResult Pause(int milliseconds)
    {
        Loop.Events.Timers.Start(_pauseTimer, Loop.Events.Now + milliseconds);
        return StageResult.Wait;
    }

    public void OnTimer(LoopTimer timer)
    {
        if (ReferenceEquals(timer, _watch))
        {
            OnWatch();
        }
        else if (ReferenceEquals(timer, _requestTimer))
        {
            OnRequestTimeout();
        }
        else if (ReferenceEquals(timer, _tryTimer))
        {
            OnTryTimeout();
        }
        else if (ReferenceEquals(timer, _tryIdleTimer))
        {
            OnTryIdle();
        }
        else if (_nextStage < _stages.Length)
        {
            RunStages();
        }
        else
        {
            StartTry();
        }
    }

    /// <summary>Refuses a request whose head could not even be read.</summary>
    internal void Refuse(Failure failure)
    {
        StartedAt = Loop.Timestamp();
        WantsBody = false;
        AnswerFailure(failure, last: true);
    }

    /// <summary>The client is gone: nobody needs the answer.</summary>
    internal void OnClientGone(FailureKind kind = FailureKind.ClientGone)
    {
        if (!_finished)
        {
            if (Failure.IsNone)
            {
                Failure = new Failure(kind);
            }

            DropTries();
            Finish(keep: false);
        }
    }

    private void Finish(bool keep)
    {
        if (_finished)
        {
            return;
        }

        _finished = true;
        _rival.Drop();
        _try.End();
        EndRetry();
        var timers = Loop.Events.Timers;
        timers.Stop(_requestTimer);
        StopTryTimers();
        timers.Stop(_pauseTimer);
        timers.Stop(_watch);
        EndMirrors();
        EndExtras();
        if (!IsAside)
        {
            Observe.Record(this);
        }

        Downstream.OnExchangeDone(keep);

        // The buffers' memory stays for the next request unless this one was unusually large.
        _headBytes.Reset(KeptBufferSize);
        _upstreamHead.Reset(KeptBufferSize);
        _body.Reset(KeptBufferSize);
        _newTarget.Reset(KeptBufferSize);
        _trailers.Reset(KeptBufferSize);
        Loop.Return(this);
    }
}
