// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench.Figures;

/// <summary>What one row of the design's table came to.</summary>
/// <param name="Name">As it is asked for on the command line.</param>
/// <param name="Title">What was measured.</param>
/// <param name="Note">How, in a sentence or two; what a reader must know to judge the figures.</param>
/// <param name="Main">The measure that is charted and compared, unless a case has its own.</param>
/// <param name="Reference">The topology that the others are divided by; null for none.</param>
/// <param name="Figures">In the order of measuring; every case has the same measures.</param>
/// <param name="Goals">Empty where the design asks for nothing.</param>
internal sealed record RowResult(
    string Name,
    string Title,
    string Note,
    Measure Main,
    string? Reference,
    IReadOnlyList<Figure> Figures,
    IReadOnlyList<Goal> Goals)
{
    /// <summary>Cases are numbers that grow, charted as a curve.</summary>
    public bool IsCurve { get; init; }

    /// <summary>What the numbers of a curve count.</summary>
    public string CurveOf { get; init; } = "";

    public IEnumerable<string> Cases => Figures.Select(figure => figure.Case).Distinct();

    public IEnumerable<string> Topologies => Figures.Select(figure => figure.Topology).Distinct();

    public IEnumerable<Measure> Measures => Figures.Select(figure => figure.Measure).Distinct();

    /// <summary>What is compared in a case: what its goal is about, else the row's main measure, else the first that it has.</summary>
    public Measure MainOf(string @case) =>
        Goals.FirstOrDefault(goal => goal.Case == @case)?.Measure
        ?? (Figures.Any(figure => figure.Case == @case && figure.Measure == Main) ? Main : Figures.First(figure => figure.Case == @case).Measure);

    public Figure? Find(string @case, string topology, Measure measure) =>
        Figures.FirstOrDefault(figure => figure.Case == @case && figure.Topology == topology && figure.Measure == measure);
}
