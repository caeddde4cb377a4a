// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Grpc;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>A limit that a service keeps, compiled: the question, and what its answer means.</summary>
internal sealed class GlobalLimit
{
    private const int DomainField = 1;
    private const int DescriptorField = 2;

    private readonly byte[] _head;
    private readonly byte[] _domain;

    internal GlobalLimit(GlobalLimitPlan plan)
    {
        Plan = plan;
        var authority = plan.Authority.Length > 0 ? plan.Authority : plan.Cluster;
        _head = Encoding.Latin1.GetBytes(
            $"POST /envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/grpc\r\n");
        _domain = Encoding.UTF8.GetBytes(plan.Domain);
        Lines = Encoding.Latin1.GetBytes(string.Concat(plan.Headers.Select(header => $"{header.Name}: {header.Value}\r\n"))
            + (plan.HidesMark ? "" : "x-envoy-ratelimited: true\r\n"));
    }

    internal GlobalLimitPlan Plan { get; }

    /// <summary>Of the answer to what is too much.</summary>
    private byte[] Lines { get; }

    /// <summary>Asks about a request that has descriptions for this limit; one that has none passes.</summary>
    internal LimitVerdict Ask(Exchange exchange)
    {
        if (exchange.Route!.Actions.RateDescriptors is not { } descriptors || !IsAskedAbout(exchange))
        {
            return LimitVerdict.Passes;
        }

        ref var message = ref exchange.Loop.QuestionText;
        message.Clear();
        message.Reserve(GrpcFrame.PrefixLength);
        message.Commit(GrpcFrame.PrefixLength);
        ProtoFields.Append(ref message, DomainField, _domain);
        var any = false;
        for (var i = 0; i < descriptors.Count && message.Length <= Question.MaxQuestionBytes; i++)
        {
            var start = message.Length;
            if (descriptors.TryAppend(ref message, exchange, i, Plan.Stage))
            {
                ProtoFields.Close(ref message, start, DescriptorField);
                any = true;
            }
        }

        if (!any)
        {
            return LimitVerdict.Passes;
        }

        var framed = message.Bytes;
        framed[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(framed[1..], framed.Length - GrpcFrame.PrefixLength);
        return exchange.TryAsk(exchange.Plan.FindCluster(Plan.Cluster), _head, framed, Plan.TimeoutMs) ? LimitVerdict.Waits : LimitVerdict.Unknown;
    }

    /// <summary>What the service has said.</summary>
    internal LimitVerdict Judge(Question question, Exchange exchange)
    {
        if (!question.IsAnswered || !LimitAnswer.TryRead(question.Message, out var answer))
        {
            return LimitVerdict.Unknown;
        }

        answer.AppendLines(ref exchange.Extras.Lines, LimitAnswer.ResponseLines);
        if (Plan.ShowsHeaders)
        {
            answer.AppendLimits(ref exchange.Extras.Lines);
        }

        if (!answer.IsTooMuch)
        {
            answer.AppendLines(ref exchange.Extras.RequestLines, LimitAnswer.RequestLines);
            return LimitVerdict.Passes;
        }

        exchange.Extras.Lines.Append(Lines);
        return LimitVerdict.TooMuch;
    }

    private bool IsAskedAbout(Exchange exchange)
    {
        if (Plan.Requests == AskedRequests.Both)
        {
            return true;
        }

        return PrivateAddress.Is(ForwardedLines.ClientAddress(exchange)) == (Plan.Requests == AskedRequests.Internal);
    }
}

/// <summary>What is known about a request and a limit.</summary>
internal enum LimitVerdict
{
    Passes,
    TooMuch,

    /// <summary>The service did not say.</summary>
    Unknown,

    /// <summary>The service has been asked.</summary>
    Waits,
}
