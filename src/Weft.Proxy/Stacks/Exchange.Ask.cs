// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Io;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>
/// Waiting for another service's word about the request. A stage asks and is run again when there is an answer, or none will come; what of the
/// request's body comes meanwhile is kept up to the limit of a body that may be sent again, beyond which the client waits.
/// </summary>
internal sealed partial class Exchange
{
    private ExchangeExtras? _extras;

    /// <summary>How far a stage that asks several services is.</summary>
    internal int QuestionsAsked
    {
        get => _extras?.QuestionsAsked ?? 0;
        set => Extras.QuestionsAsked = value;
    }

    /// <summary>Made by the proxy itself: a copy of a request, or a question about one. It is tried once, neither counted nor logged.</summary>
    internal bool IsAside { get; private set; }

    /// <summary>A question to another service.</summary>
    internal bool IsQuestion => _extras?.Service is not null;

    /// <summary>Null if nobody was asked, or the answer has been taken.</summary>
    internal Question? Question => _extras?.Question;

    /// <summary>Made when something is to be put into it.</summary>
    internal ExchangeExtras Extras => _extras ??= Loop.RentExtras();

    /// <summary>Asks, and lets the running stage wait and run again; false if that cannot be.</summary>
    /// <param name="cluster">Where the service is; null if the plan has no such.</param>
    /// <param name="head">Request line and fields, the host first, without those that frame the body.</param>
    /// <param name="body">One gRPC message with its prefix.</param>
    /// <param name="timeoutMs">After which there is no answer.</param>
    internal bool TryAsk(ClusterEntry? cluster, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, int timeoutMs)
    {
        if (cluster is null || body.Length > Question.MaxQuestionBytes)
        {
            return false;
        }

        if (Loop.RentQuestion() is not { } question)
        {
            Loop.Metrics.Hit(ProxyLimit.Questions);
            return false;
        }

        Extras.Question = question;
        RepeatStage();
        var call = Loop.RentExchange();
        question.Open(this, call);
        call.BeginQuestion(this, question, cluster, head, body, timeoutMs);
        return true;
    }

    internal void CloseQuestion()
    {
        if (_extras is { Question: { } question } extras)
        {
            extras.Question = null;
            question.Close();
        }
    }

    internal void OnAnswered()
    {
        if (!_finished)
        {
            RunStages();
        }
    }

    /// <summary>It cannot go on, or nobody waits for it.</summary>
    internal void GiveUpAside()
    {
        if (!_finished)
        {
            DropTries();
            Finish(keep: false);
        }
    }

    private void BeginQuestion(Exchange asker, Question question, ClusterEntry cluster, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, int timeoutMs)
    {
        Open(question, asker.Service);
        IsAside = IsGrpc = _headReady = true;
        Plan = asker.Plan;
        Extras.Service = cluster;
        _stages = [];
        StartedAt = asker.StartedAt;
        _requestBody = BodyKind.Open;
        _bodyLimit = long.MaxValue;
        _upstreamHead.Append(head);
        _body.Append(body);
        Loop.Events.Timers.Start(_requestTimer, Loop.Events.Now + timeoutMs);
        StartTry();
    }

    /// <summary>What was added to the answer's head.</summary>
    internal void AppendAddedLines(ref NativeBuffer head)
    {
        if (_extras is { } extras)
        {
            head.Append(extras.Lines.Bytes);
        }
    }

    internal void AppendAddedRequestLines(ref NativeBuffer head)
    {
        if (_extras is { } extras)
        {
            head.Append(extras.RequestLines.Bytes);
        }
    }

    private void EndExtras()
    {
        if (_extras is { } extras)
        {
            CloseQuestion();
            EndCompression(extras);
            _extras = null;
            Loop.Return(extras);
        }
    }
}
