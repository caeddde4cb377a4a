// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Stacks;

/// <summary>Whose fault it is.</summary>
internal enum Side
{
    Downstream,
    Proxy,
    Upstream,
}
