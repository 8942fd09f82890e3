"""The finance lexicon: which words are good or bad news, how much, and what turns, strengthens or weakens them.

Words are base forms: ``lexicon.forms`` makes surges, surged and surging of surge; one marked = has no other form.
"""

from __future__ import annotations

from typing import Final

GOOD: Final[dict[float, str]] = {
    1.0: """
        =outperformance blockbuster bonanza breakthrough bull bullish bumper moon multibagger outperform
        outperformer outshine rocket skyrocket soar stellar triumph turnaround windfall zoom 📈 🚀
    """,
    0.8: """
        =best =stronger =strongest =successfully =superb accumulate attractive bargain beat boom booming buoyant
        buy champion cheer dazzle delight exceed excellent flourish glitter hail impressive landmark milestone
        optimism optimistic outpace overweight profitable rally rebound recover recovery revival revive robust
        shine sparkle strong success successful surpass thrive undervalued upbeat upgrade upgraded win winner
        won
    """,
    0.6: """
        =better =favorably =good =great =positive =positively acquire advantage approval approve award awarded
        bag benefit benefitted bonus boost bounce breakout buyback cheap clear clearance clinch comfort
        comfortable confidence confident constructive efficiency efficient encourage encouraging enhance
        favorable favour favourable gainer happy healthy hope hopeful improve improved improvement innovation
        innovative lead leader leading long momentum opportunity praise prefer preferred promise promising
        recommend relief resilience resilient resolve reward safe secure solid sound streamline strengthen
        supportive topper undervaluation upside well
    """,
    0.3: """
        =upgradation able agreement bet capacity collaborate collaboration commence contract deal deliver
        delivery dividend firm growth invest investment join launch modernise modernize nod order oversubscribe
        partner partnership potential ready subscribe support sustain sustainable target unveil
    """,
}
BAD: Final[dict[float, str]] = {
    1.0: """
        bankrupt bankruptcy bear bearish bloodbath carnage catastrophe collapse crash crisis default defaulter
        devastate disaster dump embezzle fraud freefall insolvency insolvent launder mayhem meltdown nosedive
        panic plummet rout ruin scam scandal scrap slaughter tumble wreck 📉
    """,
    0.8: """
        =weaker =weakest =worse =worst accuse arrest ban batter battered bleed blow breach bruise bruised bust
        cancel cancellation cheat closure convict deteriorate deterioration disappoint disappointing
        disappointment dismal distress distressed downgrade downgraded downturn fail failure fear fraudulent
        gloom gloomy guilty halt hammer hurt illegal jolt lackluster lacklustre lawsuit layoff miss outflow
        overvalued penalty poor poorer probe pummel raid recession reject rejection revoke short shut shutdown
        slowdown slump strike sue suffer suspend suspension terminate trouble troubled underperform
        underperformer underweight violate violation weak weaken weakness weigh woe worry worsen
    """,
    0.6: """
        =adversely =bad =negative =negatively adverse allegation allege avoid bar bubble burden caution cautious
        challenge challenging choppy cloud concern corrective crack damage delay delayed denial dent deny
        difficult difficulty dismiss dispute downside drag dull erode erosion expensive glut headwind hit hurdle
        investigation lack lag laggard lose loser losing lost muted notice oppose overhang oversupply pessimism
        pessimistic pressure problem protest resign scrutiny sell shortage slow slower sluggish soft softness
        stress stretched struggle subdued tepid threat threaten unable uncertain uncertainty volatile volatility
        vulnerable warn warning wary wipe
    """,
    0.3: """
        =late correction defer doubt doubtful exit fine hard issue postpone quit restriction tax tough
    """,
}
# Directions say what happens to the thing they stand by: "profit falls" is bad, "debt falls" is good.
UP: Final[dict[float, str]] = {
    1.0: """
        jump leap spike spurt surge
    """,
    0.8: """
        =higher =highest =up accelerate advance climb double expand gain grow high increase increased quadruple
        rise strengthen triple
    """,
    0.6: """
        =above =upward add appreciate appreciation edge hike inch scale swell upmove upswing uptick uptrend
        widen
    """,
    0.3: """
        lift raise top
    """,
}
DOWN: Final[dict[float, str]] = {
    1.0: """
        dive plunge sink slide
    """,
    0.8: """
        =down =downward =lower =lowest decline decrease decreased dip downtrend drop fall low shrink slip tank
    """,
    0.6: """
        =below contracted contracting contraction cut depreciate depreciation ease halve moderate narrow pare
        recede reduce reduction retreat shed soften trim
    """,
}
# What one wants less of: standing by a direction it turns it, standing alone it is bad by this much.
UNWANTED: Final[dict[float, str]] = {
    0.6: """
        attrition bankruptcy complaint default deficit fraud impairment loss npa red slippage unemployment
        writeoff
    """,
    0.2: """
        arrears borrowing cost debt delay expenditure expense inflation leverage liability overdue pledge
        provision risk volatility
    """,
}
IRREGULAR: Final[dict[str, str]] = {
    "beaten": "beat", "bled": "bleed", "bought": "buy", "dove": "dive", "fallen": "fall", "fell": "fall",
    "grew": "grow", "grown": "grow", "leapt": "leap", "led": "lead", "risen": "rise", "rose": "rise",
    "sank": "sink", "shone": "shine", "shrank": "shrink", "shrunk": "shrink", "slid": "slide", "sold": "sell",
    "struck": "strike", "sunk": "sink", "swollen": "swell", "upped": "up", "won": "win",
}  # fmt: skip
# Several words that say something else together than one by one; / parts them.
PHRASES: Final[dict[float, str]] = {
    1.0: """
        all time high / life high / multi year high / record high / record profit
    """,
    0.9: """
        back in black / beat estimates / beat street / beats estimates / beats expectations / beats street /
        better than expected / fresh high / new high / swings to profit / tops estimates / turns profitable /
        upper circuit
    """,
    0.8: """
        above estimates / above expectations / bags order / bags orders / buy rating / buy target / hit record /
        hits record / in green / in the green / loss narrows / new heights / order win / order wins / stock up /
        top gainer / top gainers / top pick / top picks / week high / wins contract / wins order / year high
    """,
    0.7: """
        bounce back / bounces back / buy call / buy on dips / debt free / raises target
    """,
    0.6: """
        gets approval / gets nod / good time / higher than expected / look good / looking good / looks good /
        share buyback
    """,
    0.5: """
        bonus issue / bonus shares / bottom out / bottomed out / buy back / hikes stake / hit fresh / hits fresh
        / hits new / on track / pick up / picks up / raises # / raises rs / raises stake / stay invested /
        take off / to buy
    """,
    0.4: """
        buys stake / cash in / on course / picks stake / short covering / signs pact / tax cut
    """,
    0.3: """
        rate cut / rate cuts / signs mou / tie up / ties up
    """,
    0.1: """
        in line / long term / low cost / raise rs / set up / sets up / target at / target of
    """,
    0.0: """
        ahead of / as well as / credit rating / cut down / due to / follow up / high court / high level / hit #
        / hits # / hold target / lower house / near term / price target / raise # / settle at / short run /
        short term / stake sale / start up / stop loss / stoploss / target price / to open / to raise /
        top executive / top management / top post / up to / upper house
    """,
    -0.1: """
        sells stake
    """,
    -0.2: """
        price cut
    """,
    -0.3: """
        down to / pullback / rate hike / rate hikes / ruled out / rules out / to sell
    """,
    -0.4: """
        book profit / book profits / cool off / cools off / pull back / pulls stock
    """,
    -0.5: """
        no go
    """,
    -0.6: """
        at risk / bad time / cuts jobs / job cuts / loss making / net loss / profit booking / profit taking /
        short sell / shut down / shuts down / write off
    """,
    -0.7: """
        cuts target / insider trading / look weak / looks weak / sell call / sell target / show cause
    """,
    -0.8: """
        below estimates / below expectations / cash crunch / hit by / in red / in the red / lose sheen /
        lose shine / loses sheen / loses shine / lower than expected / posts loss / reports loss / sell rating /
        stay away / stock down / take a hit / takes a hit / took a hit / top loser / top losers / under pressure
        / week low / year low
    """,
    -0.9: """
        fresh low / loss widens / losses widen / lower circuit / misses estimates / new low / sell off /
        sell offs / selloff / slips into red / swings to loss / worse than expected
    """,
    -1.0: """
        all time low / hit record low / hits record low / life low / money laundering / pump and dump /
        record low
    """,
}
# These turn what follows, these strengthen or weaken what is near, these discount what follows, these what came before.
NEGATIONS: Final = """
    no not never without cannot can't won't don't doesn't didn't isn't aren't wasn't weren't hasn't haven't
    shouldn't nor neither hardly barely fail fails failed unlikely unable lack lacks
"""
STRONGER: Final = """
    best big biggest considerably deep deeply dramatically extremely fully heavily heavy highly huge hugely major
    massive massively mega most rapid rapidly record severe severely sharp sharply significant significantly steep
    steeply strongly substantially very whopping worst
"""
WEAKER: Final = """
    almost bit could fractionally gradual gradually if little marginal marginally may might mild mildly minor modest
    modestly nearly partly perhaps possibly slight slightly somewhat tad
"""
DISCOUNTED: Final = """
    defies defy defying despite ignoring notwithstanding shrugging shrugs
"""
TURNS: Final = """
    although but however though yet
"""
# What stands behind these is why something moves, not what moves.
REASONS: Final = """
    after amid and as because by due following for from on over since while with
"""
