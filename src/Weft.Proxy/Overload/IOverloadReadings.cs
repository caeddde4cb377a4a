// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Overload;

/// <summary>What the proxy uses at this moment.</summary>
internal interface IOverloadReadings
{
    long ResidentBytes { get; }

    int OpenDescriptors { get; }

    /// <summary>The longest turn of any loop since this was asked last, in milliseconds.</summary>
    int TakeLoopDelayMs();
}
