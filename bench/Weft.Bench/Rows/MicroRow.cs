// SPDX-License-Identifier: Apache-2.0

using Weft.Bench.Figures;
using Weft.Bench.Micro;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>Each codec and table of the data path alone: time, input and allocations of one operation.</summary>
internal sealed class MicroRow : Row
{
    private const string Case = "one operation";

    public override string Name => "micro";

    public override RowResult Run(Lab lab)
    {
        var figures = new List<Figure>();
        foreach (var operation in Operations.All())
        {
            Progress.Say($"micro: {operation.Name}");
            var timed = Stopwatches.Measure(operation, lab.Options.Quick ? 3 : 7);
            figures.Add(new Figure(Case, operation.Name, Measure.Nanoseconds, timed.Nanoseconds));
            figures.Add(new Figure(Case, operation.Name, Measure.BytesPerOperation, [operation.Bytes]));
            figures.Add(new Figure(Case, operation.Name, Measure.AllocatedPerOperation, [timed.AllocatedBytes]));
        }

        Progress.Clear();
        return new RowResult(
            Name,
            "Codecs and tables alone",
            "Compiled fully at the first call, as the ahead-of-time build has it; a pass takes at least 20 ms of the thread's CPU time; the median of the passes is shown.",
            Measure.Nanoseconds,
            null,
            figures,
            []);
    }
}
