// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Compression;
using Weft.Proxy.Io;
using Weft.Proxy.Upstreams;

namespace Weft.Proxy.Stacks;

/// <summary>What only some exchanges need, rented for them, so that the others stay small.</summary>
internal sealed class ExchangeExtras
{
    private const int KeptBytes = 4 * 1024;

    /// <summary>Field lines that another service adds to the request.</summary>
    internal NativeBuffer RequestLines;

    /// <summary>And to the answer, whoever gives it.</summary>
    internal NativeBuffer Lines;

    /// <summary>Under way, or answered and not taken yet.</summary>
    internal Question? Question { get; set; }

    /// <summary>Where the service is; set for questions only.</summary>
    internal ClusterEntry? Service { get; set; }

    /// <summary>How far a stage that asks several services is.</summary>
    internal int QuestionsAsked { get; set; }

    internal BodyCompressor? Compressor { get; set; }

    internal CompressionRules? Compression { get; set; }

    /// <summary>Caches must know that the answer depends on what a client takes.</summary>
    internal bool VariesByCoding { get; set; }

    internal void Reset()
    {
        RequestLines.Reset(KeptBytes);
        Lines.Reset(KeptBytes);
        Question = null;
        Service = null;
        QuestionsAsked = 0;
        Compressor = null;
        Compression = null;
        VariesByCoding = false;
    }
}
