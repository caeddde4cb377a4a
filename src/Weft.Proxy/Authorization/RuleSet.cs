// SPDX-License-Identifier: Apache-2.0

using System.Numerics;
using Weft.Model.Plan;

namespace Weft.Proxy.Authorization;

/// <summary>
/// One list of rules, compiled: every pair of alternatives of a rule is a bit, and one look-up for each attribute that occurs leaves the
/// pairs that hold. What it costs follows the number of attributes, not of rules, but for one bit operation on 64 pairs.
/// </summary>
internal sealed class RuleSet
{
    private const int WordsOnStack = 32;

    [ThreadStatic]
    private static ulong[]? _room;

    private readonly List<AttributeTable> _tables = [];
    private readonly ulong[] _all;
    private readonly int[] _ruleOf;

    /// <summary>Throws <see cref="FormatException"/> naming the rule that cannot be compiled; the plan is refused then.</summary>
    internal RuleSet(AuthorizationPlan plan)
    {
        Plan = plan;
        var pairs = plan.Rules.Sum(rule => (long)rule.From.Count * rule.To.Count);
        if (pairs > AuthorizationRulePlan.MaxPairs)
        {
            throw new FormatException($"the rules have {pairs} pairs of alternatives, at most {AuthorizationRulePlan.MaxPairs} are allowed");
        }

        _ruleOf = new int[pairs];
        _all = new ulong[(pairs + 63) >> 6];
        var next = 0;
        for (var index = 0; index < plan.Rules.Count; index++)
        {
            var rule = plan.Rules[index];
            foreach (var from in rule.From)
            {
                foreach (var to in rule.To)
                {
                    _ruleOf[next] = index;
                    _all[next >> 6] |= 1UL << (next & 63);
                    Add(rule, from, next);
                    Add(rule, to, next);
                    next++;
                }
            }
        }
    }

    internal AuthorizationPlan Plan { get; }

    /// <summary>Index of the first rule that holds; -1 if none does.</summary>
    internal int FirstHolding(in AccessFacts facts)
    {
        var words = _all.Length;
        if (words == 0)
        {
            return -1;
        }

        Span<ulong> stack = stackalloc ulong[words <= WordsOnStack ? 2 * words : 0];
        var room = words <= WordsOnStack ? stack : Room(2 * words);
        var marks = new Marks(room[..words], room[words..]);
        _all.CopyTo(marks.Left);
        foreach (var table in _tables)
        {
            if (!table.Narrow(facts, marks))
            {
                return -1;
            }
        }

        for (var i = 0; i < words; i++)
        {
            if (marks.Left[i] != 0)
            {
                return _ruleOf[(i << 6) + BitOperations.TrailingZeroCount(marks.Left[i])];
            }
        }

        return -1;
    }

    private static Span<ulong> Room(int words)
    {
        if (_room is null || _room.Length < words)
        {
            _room = new ulong[words];
        }

        return _room.AsSpan(0, words);
    }

    private void Add(AuthorizationRulePlan rule, AuthorizationTermPlan term, int pair)
    {
        foreach (var clause in term.Clauses)
        {
            if (clause.AnyOf.Count == 0)
            {
                throw new FormatException($"{rule.Name}: a condition compares with nothing");
            }

            if (clause.AnyOf.Any(match => match.Attribute != clause.AnyOf[0].Attribute || match.Key != clause.AnyOf[0].Key))
            {
                throw new FormatException($"{rule.Name}: the alternatives of one condition are not of one attribute");
            }

            try
            {
                TableFor(clause, pair).Add(clause, pair);
            }
            catch (FormatException problem)
            {
                throw new FormatException($"{rule.Name}: {problem.Message}", problem);
            }
        }
    }

    private AttributeTable TableFor(AuthorizationClausePlan clause, int pair)
    {
        var table = _tables.Find(one => one.IsOf(clause.AnyOf[0]) && one.HasRoomFor(clause, pair));
        if (table is null)
        {
            _tables.Add(table = new AttributeTable(clause.AnyOf[0].Attribute, clause.AnyOf[0].Key, Plan.Action, _ruleOf.Length));
        }

        return table;
    }
}
