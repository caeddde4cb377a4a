// SPDX-License-Identifier: Apache-2.0

using Weft.Protocols.Http1;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Filters;

/// <summary>Changes the path as the route asks. The authority needs no work here: it is taken from the route when the head is written.</summary>
internal sealed class RewriteRequest : Stage
{
    internal override StageResult Apply(Exchange exchange)
    {
        if (exchange.Route!.Actions.Rewrite is not { } rewrite)
        {
            return StageResult.Continue;
        }

        ref var output = ref exchange.Loop.Out;
        output.Clear();
        var request = exchange.Request;
        var bytes = exchange.RequestBytes;
        if (!rewrite.TryWrite(request.PathOf(bytes), output.Reserve(Http1Rules.LargestHead), out var length))
        {
            exchange.AnswerFailure(new Failure(FailureKind.BadRequest, "the rewritten path is too long"));
            return StageResult.Done;
        }

        output.Commit(length);
        if (request.HasQuery)
        {
            output.Append("?"u8);
            output.Append(request.Query.Of(bytes));
        }

        exchange.RewriteTarget(output.Bytes);
        output.Clear();
        return StageResult.Continue;
    }
}
