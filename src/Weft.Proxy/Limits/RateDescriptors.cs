// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Plan;
using Weft.Proxy.Io;
using Weft.Proxy.Stacks;

namespace Weft.Proxy.Limits;

/// <summary>How a route's requests are described to what counts them, compiled.</summary>
internal sealed class RateDescriptors
{
    private readonly (int Stage, RateAction[] Actions)[] _descriptors;

    internal RateDescriptors(EquatableArray<RateDescriptorPlan> plans) =>
        _descriptors = [.. plans.Select(plan => (plan.Stage, plan.Actions.Select(action => new RateAction(action)).ToArray()))];

    internal int Count => _descriptors.Length;

    /// <summary>Appends the entries of one description; false, and nothing, if the request has none of that kind.</summary>
    internal bool TryAppend(ref NativeBuffer message, Exchange exchange, int index, int stage)
    {
        var (ofStage, actions) = _descriptors[index];
        if (ofStage != stage)
        {
            return false;
        }

        var start = message.Length;
        foreach (var action in actions)
        {
            if (!action.TryAppend(ref message, exchange))
            {
                message.Truncate(start);
                return false;
            }
        }

        return message.Length > start;
    }
}
