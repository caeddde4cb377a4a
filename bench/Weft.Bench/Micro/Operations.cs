// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Micro;

/// <summary>Every codec and table of the data path.</summary>
internal static class Operations
{
    public static IEnumerable<Operation> All() =>
        [.. Http1Operations.All(), .. Http2Operations.All(), .. FirstByteOperations.All(), .. TableOperations.All()];
}
