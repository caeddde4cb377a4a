// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>One step that a request passes. Stages keep no state of a request: that is the exchange's.</summary>
internal abstract class Stage
{
    internal abstract StageResult Apply(Exchange exchange);
}

/// <summary>How a request goes on after a stage.</summary>
internal enum StageResult
{
    /// <summary>With the next stage.</summary>
    Continue,

    /// <summary>Later: the stage has arranged for the exchange to be resumed.</summary>
    Wait,

    /// <summary>Not at all: the stage has answered, or the last stage has taken over.</summary>
    Done,
}
